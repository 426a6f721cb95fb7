import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { brokerXml, DeploymentFolder } from '../harness/deployment-files.ts';
import { PINGREQ, PINGRESP } from '../harness/mqtt-bytes.ts';
import { MqttPeer } from '../harness/mqtt-peer.ts';
import { freePorts, Program } from '../harness/program.ts';
import { SysReader } from '../harness/sys-reader.ts';

const MB = 1024 * 1024;
const MESSAGE_BYTES = 100_000;
/** In all 40 MB, for each of the stalled ones. */
const MESSAGES = 400;
/** What each of them may have queued: `--limit`. */
const QUEUE_BYTES = 2 * MB;
/** What the system may hold of a connection's bytes, generously. */
const SYSTEM_BYTES = 20 * MB;

const folder = await DeploymentFolder.make();
after(() => folder.remove());

test('subscribers that do not read cost bounded memory and slow nobody down; when they read again they go on', async (t) => {
  const [port] = (await freePorts(1)) as [number];
  const file = await folder.write('activemq.xml', brokerXml({ mqttPort: port }));
  const limits = [`connectionQueueBytes=${QUEUE_BYTES}`, 'sessionQueueBytes=2mb'].flatMap((limit) => ['--limit', limit]);
  const program = new Program(['broker', file, '--sys-interval', '1', ...limits], { cwd: folder.path });
  t.after(async () => {
    program.kill();
    await program.ended;
  });
  await program.saying(/broker is up/);
  const client = async (clientId: string) => (await MqttPeer.dial(port)).connect({ clientId, clean: clientId !== 'stalled 1' });
  const sys = await SysReader.start(port);

  const stalled = [await client('stalled 0'), await client('stalled 1')] as const;
  for (const [qos, peer] of stalled.entries()) {
    await peer.subscribe({ flood: qos });
    peer.stall();
  }
  const reader = await client('reader');
  await reader.subscribe({ flood: 0 });
  const flooder = await client('flooder');
  const [ping, pong] = [await client('ping'), await client('pong')];
  await pong.subscribe({ ping: 1 });

  // Everybody's next step waits for the answer to the last one: one who is held up holds the test up.
  for (let i = 0; i < MESSAGES; i++) {
    const payload = Buffer.alloc(MESSAGE_BYTES, `${i % 10}`);
    await flooder.publish({ topic: 'flood', payload, qos: 1 });
    await reader.expect(reader.packets.publish({ topic: 'flood', payload }));
    await ping.publish({ topic: 'ping', payload: `${i}`, qos: 1 });
    const id = (i % 65_535) + 1;
    await pong.expect(pong.packets.publish({ topic: 'ping', payload: `${i}`, qos: 1, id }));
    pong.send(pong.packets.puback(id));
  }

  await sys.oneUpdate();
  const value = (topic: string) => Number(sys.values.get(topic));
  assert.equal(value('clients/connected'), 7, 'nobody was disconnected');
  const dropped = [value('publish/messages/dropped/connectionQueueBytes'), value('publish/messages/dropped/sessionQueueBytes')] as const;
  assert.equal(value('publish/messages/dropped'), dropped[0] + dropped[1]);
  for (const [qos, count] of dropped.entries()) {
    const bytes = (MESSAGES - count) * MESSAGE_BYTES;
    assert.ok(bytes < QUEUE_BYTES + SYSTEM_BYTES, `${bytes} bytes are on their way to the one that has stalled at QoS ${qos}`);
  }
  assert.ok(value('store/messages/bytes') < QUEUE_BYTES + MB, `${value('store/messages/bytes')} bytes are kept for the session`);

  for (const peer of stalled) {
    peer.readOn();
    await readAll(peer);
  }
  await flooder.publish({ topic: 'flood', payload: 'after', qos: 1 });
  for (const peer of stalled) assert.equal(await readAll(peer), 1, 'messages flow again');
  assert.match(program.stderr, /messages for a client are dropped/);
  assert.equal(program.stderr.split('messages for a client are dropped').length - 1, 2, 'one line for each of them');
});

/** Takes and acknowledges messages until no more come. @returns how many there were */
async function readAll(peer: MqttPeer): Promise<number> {
  let messages = 0;
  for (let isIdle = false; !isIdle; ) {
    isIdle = true;
    peer.send(PINGREQ);
    for (let packet = await peer.packet(); !packet.whole.equals(PINGRESP); packet = await peer.packet()) {
      isIdle = false;
      messages++;
      if ((packet.header & 0x06) !== 0) peer.send(peer.packets.puback(packet.body.readUInt16BE(2 + 'flood'.length)));
    }
  }
  return messages;
}
