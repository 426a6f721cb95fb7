import type { Channel } from '../../protocols/openwire/channel.ts';
import { toBytesMessage } from './cluster-command.ts';
import type { DemandWave } from './demand-wave.ts';

interface Marker {
  readonly commandId: number;
  /** How much demand had been told before it. */
  readonly told: number;
  /** null: nobody waits any longer. */
  readonly wave: DemandWave | null;
}

/**
 * When does the peer know our demand? OpenWire never answers it. So a marker follows it in the same stream, and its answer says that
 * everything before it has taken effect.
 */
export class DemandMarkers {
  readonly #channel: Channel;
  readonly #ownId: string;
  readonly #sent: Marker[] = [];
  /** Asked for before all our demand had been told once. */
  #early: DemandWave[] = [];
  #allTold = false;
  #told = 0;
  #known = 0;

  constructor(channel: Channel, ownId: string) {
    this.#channel = channel;
    this.#ownId = ownId;
  }

  /** Whether the peer may lack some of our demand. */
  get unknown(): boolean {
    return !this.#allTold || this.#told > this.#known;
  }

  /** One more wish is in the stream. */
  told(): void {
    this.#told++;
  }

  /** Everything there was when the link began is in the stream. */
  allTold(): void {
    this.#allTold = true;
    const waves = this.#early;
    this.#early = [];
    for (const wave of waves) this.#send(wave);
  }

  /** Tells the wave when everything told before now is known. */
  await(wave: DemandWave): void {
    if (this.#allTold) this.#send(wave);
    else this.#early.push(wave);
  }

  /** @returns whether it was the answer to a marker */
  answered(commandId: number): boolean {
    const at = this.#sent.findIndex((marker) => marker.commandId === commandId); // nearly always the first of few
    if (at < 0) return false;
    const [marker] = this.#sent.splice(at, 1);
    this.#known = Math.max(this.#known, marker!.told);
    marker!.wave?.linkDone();
    return true;
  }

  /** Nobody waits for this link any longer. Answers that come late are still taken note of. */
  abandon(): void {
    const waves = [...this.#early, ...this.#sent.map(({ wave }) => wave)];
    this.#early = [];
    for (let i = 0; i < this.#sent.length; i++) this.#sent[i] = { ...this.#sent[i]!, wave: null };
    for (const wave of waves) wave?.linkDone();
  }

  #send(wave: DemandWave): void {
    const commandId = this.#channel.request(toBytesMessage({ kind: 'marker', path: [...wave.path, this.#ownId] }));
    if (commandId === 0) {
      wave.linkDone(); // the way is longer than the peer's frames: it cannot be asked
      return;
    }
    this.#sent.push({ commandId, told: this.#told, wave });
  }
}
