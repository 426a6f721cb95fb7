import type { TestBroker } from './mqtt-broker.ts';
import type { MqttPeer } from './mqtt-peer.ts';

/** A client that must never notice anything of what others do. */
export class Canary {
  readonly #peer: MqttPeer;
  #songs = 0;

  /** @param introduction what its proxy says of it before its CONNECT */
  static async start(broker: TestBroker, introduction?: Buffer): Promise<Canary> {
    const peer = await broker.dial({ level: 5 });
    if (introduction !== undefined) peer.send(introduction);
    await peer.connect({ clientId: 'canary in the mine', keepAlive: 600 });
    await peer.subscribe({ 'the canary/sings': 2 });
    return new Canary(peer);
  }

  constructor(peer: MqttPeer) {
    this.#peer = peer;
  }

  /** One round trip of a QoS 2 message, every byte of it expected. */
  async sing(): Promise<void> {
    const { packets } = this.#peer;
    const song = { topic: 'the canary/sings', payload: `${++this.#songs}`, qos: 2, id: 1 };
    const id = ((this.#songs - 1) % 65_535) + 1;
    this.#peer.send(packets.publish(song));
    await this.#peer.expectInAnyOrder(packets.publish({ ...song, id }), packets.pubrec(1));
    this.#peer.send(packets.pubrel(1), packets.pubrec(id));
    await this.#peer.expect(packets.pubcomp(1), packets.pubrel(id));
    this.#peer.send(packets.pubcomp(id));
  }
}
