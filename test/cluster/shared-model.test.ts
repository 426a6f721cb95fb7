import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { QoS } from '../../src/core/message.ts';
import { AWAY, BEHIND, READY } from '../../src/core/subscription.ts';
import { parseShared, topicMatches } from '../../src/core/topic-filter.ts';
import { linked, staticConnector, TestBroker, type TestClient, until } from '../harness/linked-broker.ts';
import { SOAK_FACTOR } from '../harness/soak.ts';

/**
 * Shared subscriptions over brokers whose links break at any moment, with members that come, go, fall behind and go away. One member of
 * each group stays. Whatever happens, each message of QoS 1 and 2 reaches each group whose filter matches exactly once in the whole network,
 * and each ordinary subscriber exactly once; so does one of QoS 0 where no link breaks.
 */

const GROUPS = ['$share/g/t/#', '$share/h/t/+', '$share/g/t/x', '$share/ünï/#'];
const TOPICS = ['t/x', 't/y', 't/x/z', 'other'];

const network = fc.record({
  brokers: fc.integer({ min: 2, max: 4 }),
  shape: fc.constantFrom('mesh', 'ring', 'row', 'star'),
  /** In a mesh a TTL of 1 reaches everyone. */
  ttl: fc.constantFrom(1, 2, -1),
  breaks: fc.boolean(),
  /** Where the members that stay are, by group. */
  homes: fc.array(fc.nat(3), { minLength: GROUPS.length, maxLength: GROUPS.length }),
});

const step = fc.record({
  kind: fc.constantFrom('publish', 'publish', 'publish', 'publish', 'join', 'join', 'leave', 'become', 'break', 'breathe', 'wait'),
  broker: fc.nat(3),
  group: fc.nat(GROUPS.length - 1),
  which: fc.nat(),
  topic: fc.constantFrom(...TOPICS),
  qos: fc.constantFrom<QoS>(0, 1, 2),
  count: fc.integer({ min: 1, max: 40 }),
  readiness: fc.constantFrom(READY, BEHIND, AWAY),
});

/** Which brokers each dials, of those before it. */
function dials(shape: string, at: number, brokers: number): number[] {
  const before = Array.from({ length: at }, (_, i) => i);
  if (shape === 'mesh') return before;
  if (shape === 'star') return before.slice(0, 1);
  if (shape === 'row' || at < brokers - 1) return before.slice(-1);
  return [...new Set([0, at - 1])];
}

interface Group {
  readonly filter: string;
  readonly expected: string[];
  /** All that were ever members. */
  readonly members: TestClient[];
  /** Those that are and may go. */
  readonly passing: TestClient[];
}

async function startNetwork(shape: string, count: number, ttl: number): Promise<TestBroker[]> {
  const settings = { messageTTL: ttl, consumerTTL: ttl };
  const brokers: TestBroker[] = [];
  for (let at = 0; at < count; at++) {
    const peers = dials(shape, at, count).map((i) => brokers[i]!);
    const connectors =
      peers.length === 0
        ? []
        : [
            staticConnector(
              peers.map(({ port }) => port),
              settings,
            ),
          ];
    brokers.push(await TestBroker.start({ name: `broker ${at}`, connectors }));
    for (const peer of peers) await linked(peer, brokers[at]!);
  }
  return brokers;
}

async function allLinked(brokers: readonly TestBroker[], shape: string): Promise<void> {
  for (let at = 0; at < brokers.length; at++) for (const i of dials(shape, at, brokers.length)) await linked(brokers[i]!, brokers[at]!);
}

test('each message reaches each group once in the network, whatever links and members do', async () => {
  await fc.assert(
    fc.asyncProperty(
      network,
      fc.array(step, { minLength: 20, maxLength: 120 }),
      async ({ brokers: count, shape, ttl, breaks, homes }, steps) => {
        const reach = shape === 'mesh' ? ttl : -1;
        const brokers = await startNetwork(shape, count, reach);
        const at = (broker: number): TestBroker => brokers[broker % count]!;
        try {
          const everything = brokers.map((broker) => broker.client().subscribe('#'));
          const groups: Group[] = GROUPS.map((filter, i) => ({
            filter,
            expected: [],
            members: [at(homes[i]!).client().subscribe(filter)],
            passing: [],
          }));
          for (const broker of brokers) await broker.network.demandKnown();
          const known = ({ filter: sent }: Group): boolean => {
            const { filter, group } = parseShared(sent);
            return brokers.every(({ broker }) => broker.router.group(filter, group!) !== null);
          };
          await until(() => groups.every(known), 'every broker knows every group');
          const published: string[] = [];
          for (const { kind, broker, group: which, which: pick, topic, qos, count: times, readiness } of steps) {
            const group = groups[which]!;
            switch (kind) {
              case 'publish': {
                const publisher = at(broker).client();
                for (let i = 0; i < times; i++) {
                  const payload = `${published.length}`;
                  published.push(payload);
                  for (const { filter, expected } of groups) if (topicMatches(parseShared(filter).filter, topic)) expected.push(payload);
                  publisher.publish(topic, payload, breaks && qos === 0 ? 1 : qos);
                }
                break;
              }
              case 'join': {
                const member = at(broker).client().subscribe(group.filter);
                group.members.push(member);
                group.passing.push(member);
                break;
              }
              case 'leave':
                if (group.passing.length > 0) group.passing.splice(pick % group.passing.length, 1)[0]!.unsubscribe(group.filter);
                break;
              case 'become':
                if (group.passing.length > 0) group.passing[pick % group.passing.length]!.is(readiness, group.filter);
                break;
              case 'break':
                if (breaks) at(broker).cutLinks();
                break;
              case 'breathe':
                await new Promise((resolve) => setImmediate(resolve));
                break;
              default:
                await new Promise((resolve) => setTimeout(resolve, 1 + (pick % 60)));
            }
          }
          await allLinked(brokers, shape);
          const complete = (): boolean =>
            groups.every(({ members, expected }) => total(members) >= expected.length) &&
            everything.every(({ received }) => received.length >= published.length);
          await until(complete, 'everything has arrived').catch(() => {}); // what is missing is said below
          await new Promise((resolve) => setTimeout(resolve, 30)); // for copies that must not come
          const numbers = (clients: readonly TestClient[]): string[] => clients.flatMap(({ payloads }) => payloads).sort();
          for (const { filter, members, expected } of groups)
            assert.deepEqual(numbers(members), [...expected].sort(), `members of ${filter}`);
          for (const client of everything) assert.deepEqual(numbers([client]), [...published].sort(), `everything at ${client.id}`);
        } finally {
          for (const broker of brokers) await broker.stop();
        }
      },
    ),
    { numRuns: 12 * SOAK_FACTOR, endOnFailure: true },
  );
});

function total(clients: readonly TestClient[]): number {
  return clients.reduce((sum, { received }) => sum + received.length, 0);
}
