import type { TestContext } from 'node:test';
import { MQTT_5_STORED_PROPERTIES } from '../../src/protocols/mqtt/message-properties.ts';
import { JournalStore, type JournalStoreOptions } from '../../src/store/journal/store.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { FakeClock } from '../../src/timing/clock.ts';
import { FragileFiles } from './fragile-files.ts';
import { startBroker, type TestBroker } from './mqtt-broker.ts';

/** A broker whose store outlives it, on a clock that tests move: `advance` lets time pass, `setWall` sets the wall clock alone. */
export class StoredBroker {
  readonly clock = new FakeClock();
  broker!: TestBroker;
  files = new FragileFiles();
  #store!: JournalStore;
  readonly #t: TestContext;
  readonly #options: Partial<JournalStoreOptions>;

  static async start(t: TestContext, options: Partial<JournalStoreOptions> = {}): Promise<StoredBroker> {
    const stored = new StoredBroker(t, options);
    await stored.#start();
    return stored;
  }

  private constructor(t: TestContext, options: Partial<JournalStoreOptions>) {
    this.#t = t;
    this.#options = options;
  }

  /** Kills the broker and starts it again on what it has written. `meanwhile` happens in between. */
  async kill(meanwhile: () => void = () => {}): Promise<void> {
    const files = this.files.afterKill();
    this.broker.stop();
    await this.#store.close();
    this.files = files;
    meanwhile();
    await this.#start();
  }

  /** Stops the broker in good order and starts it again. */
  async restart(meanwhile: () => void = () => {}): Promise<void> {
    this.broker.stop();
    await this.#store.close();
    meanwhile();
    await this.#start();
  }

  /** Sets the wall clock on or back. */
  jump(ms: number): void {
    this.clock.setWall(this.clock.wallMs() + ms);
  }

  /** Resolves when all that has happened is on disk. */
  flushed(): Promise<void> {
    return this.#store.flushed();
  }

  async #start(): Promise<void> {
    this.#store = await JournalStore.open({
      files: this.files,
      log: silentLog,
      propertiesForm: MQTT_5_STORED_PROPERTIES,
      cacheBytes: 1024 * 1024,
      retryMs: 1,
      ...this.#options,
    });
    this.broker = await startBroker(this.#t, { clock: this.clock, store: this.#store });
  }
}
