import assert from 'node:assert/strict';
import { PINGREQ, PINGRESP } from './mqtt-bytes.ts';
import { MqttPeer, PEER_WAIT_MS, type RawPacket } from './mqtt-peer.ts';

/** A client that has subscribed to all there is below `$SYS`, with the values it was told. */
export class SysReader {
  readonly values = new Map<string, string>();
  readonly peer: MqttPeer;

  constructor(peer: MqttPeer) {
    this.peer = peer;
  }

  static async start(port: number): Promise<SysReader> {
    const reader = new SysReader(await (await MqttPeer.dial(port)).connect({ clientId: 'sys-reader' }));
    await reader.peer.subscribe({ '$SYS/#': 0 });
    return reader;
  }

  /** Reads one value more. */
  async read(): Promise<{ topic: string; value: string; retained: boolean }> {
    return this.#take(await this.peer.packet());
  }

  async until(condition: (values: ReadonlyMap<string, string>) => boolean): Promise<void> {
    const deadline = Date.now() + PEER_WAIT_MS;
    while (!condition(this.values)) {
      if (Date.now() > deadline) assert.fail(`not within ${PEER_WAIT_MS} ms; the values are ${JSON.stringify([...this.values])}`);
      await this.read();
    }
  }

  /** Reads on until every value is one of an update that began after this call, or was not changed by it. */
  async oneUpdate(): Promise<void> {
    this.peer.send(PINGREQ);
    for (let packet = await this.peer.packet(); !packet.whole.equals(PINGRESP); packet = await this.peer.packet()) this.#take(packet);
    for (let updates = 0; updates < 2; ) if ((await this.read()).topic.endsWith('/uptime')) updates++;
  }

  #take({ header, body }: RawPacket): { topic: string; value: string; retained: boolean } {
    const end = 2 + body.readUInt16BE(0);
    const found = { topic: body.toString('utf8', 2, end), value: body.toString('utf8', end), retained: (header & 1) === 1 };
    assert.match(found.topic, /^\$SYS\/broker\//);
    this.values.set(found.topic.replace('$SYS/broker/', ''), found.value);
    return found;
  }
}
