import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { clientStream, mutated } from './mqtt-arbitraries.ts';
import type { Level } from './mqtt-bytes.ts';

export interface HostileClient {
  readonly level: Level;
  readonly bytes: Buffer;
}

/** What a hostile or broken client sends: valid streams with faults, valid streams cut off, plain noise. */
export const hostileClient: fc.Arbitrary<HostileClient> = fc.oneof(
  {
    weight: 4,
    arbitrary: clientStream.chain(({ level, packets }) => mutated(fc.constant(Buffer.concat(packets))).map((bytes) => ({ level, bytes }))),
  },
  {
    // The CONNECT is whole, so that the faults are met by a session.
    weight: 6,
    arbitrary: clientStream.chain(({ level, packets }) =>
      mutated(fc.constant(Buffer.concat(packets.slice(1)))).map((bytes) => ({ level, bytes: Buffer.concat([packets[0]!, bytes]) })),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(clientStream, fc.nat()).map(([{ level, packets }, cut]) => ({ level, bytes: cutOff(Buffer.concat(packets), cut) })),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => ({ level: 4 as const, bytes: Buffer.from(bytes) })) },
);

/** Samples of `arbitrary` by a seed that the test's output names; ROUNDHOUSE_SEED gives one. Made a few at a time: there may be very many. */
export function* samplesOf<T>(t: TestContext, arbitrary: fc.Arbitrary<T>, count: number): Generator<T> {
  const seed = Number(process.env.ROUNDHOUSE_SEED ?? Math.floor(Math.random() * 0x7fff_ffff));
  t.diagnostic(`seed ${seed}, ${count} cases`);
  for (let at = 0; at < count; at += 1_000) yield* fc.sample(arbitrary, { numRuns: Math.min(1_000, count - at), seed: seed + at });
}

export function hostileClients(t: TestContext, count: number): Generator<HostileClient> {
  return samplesOf(t, hostileClient, count);
}

function cutOff(bytes: Buffer, cut: number): Buffer {
  return bytes.subarray(0, cut % (bytes.length + 1));
}
