import assert from 'node:assert/strict';
import { Message, type QoS } from '../../src/core/message.ts';
import { JournalStore, type JournalStoreOptions } from '../../src/store/journal/store.ts';
import type { Facts, Log } from '../../src/telemetry/log.ts';
import type { FragileFiles } from './fragile-files.ts';

/** A log that remembers what was said. */
export class Lines implements Log {
  readonly lines: { level: string; message: string; facts: Facts | undefined }[] = [];
  debug(): void {}
  info(message: string, facts?: Facts): void {
    this.lines.push({ level: 'info', message, facts });
  }
  warn(message: string, facts?: Facts): void {
    this.lines.push({ level: 'warn', message, facts });
  }
  error(message: string, facts?: Facts): void {
    this.lines.push({ level: 'error', message, facts });
  }
  child(): Log {
    return this;
  }
  ofLevel(level: string): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }
}

const FORM = { decode: () => null, encode: () => Buffer.alloc(0) };
/** How most messages go to a session here. */
export const AT_ONCE = { qos: 1, retain: false, identifiers: [] } as const;
/** The same, and each is written: none that is done with by the next write is left out. */
export const WRITTEN = { qos: 2, retain: false, identifiers: [] } as const;
const NOW_MS = Date.UTC(2026, 0, 1);

/** Opens a store that has little in memory, and that tries again at once what failed. */
export function open(files: FragileFiles, options: Partial<JournalStoreOptions> = {}): Promise<JournalStore> {
  return JournalStore.open({
    files,
    log: new Lines(),
    propertiesForm: FORM,
    cacheBytes: 1024 * 1024,
    retryMs: 1,
    ...options,
  });
}

export function message(topic: string, payload: string, qos: QoS = 1): Message {
  return Message.of(topic, Buffer.from(payload), qos);
}

export function stamp(counter: number): { wallMs: number; counter: number; brokerId: string } {
  return { wallMs: NOW_MS, counter, brokerId: 'b' };
}

/** Waits for it, generously. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; !condition(); i++) {
    if (i > 10_000) assert.fail(`waited for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Uses files up until the present one was another one before. */
export async function goOnInReusedFile(store: JournalStore): Promise<void> {
  const session = store.createSession('busy');
  for (let i = 0; store.present.formerNumber === 0; i++) {
    if (i > 1_000) assert.fail('no file is used again');
    session.remove(session.push(message('t', `busy ${i}`), WRITTEN));
    await store.flushed();
    if (i % 50 !== 0) continue;
    await store.writeCheckpoint();
    await store.tidy();
  }
  session.drop();
}

/** A store with files in which little lives, and two checkpoints behind them. */
export async function storeWithOldFiles(files: FragileFiles): Promise<JournalStore> {
  const store = await open(files, { segmentBytes: 4_096 });
  const forgotten = store.createSession('forgotten');
  const session = store.createSession('c');
  for (let i = 0; i < 1_000; i++) {
    if (i % 50 === 0) forgotten.push(message('t', `kept ${i}`), AT_ONCE);
    session.remove(session.push(message('t', `payload ${i}`), WRITTEN));
    if (i % 20 === 0) await store.flushed();
  }
  await store.writeCheckpoint();
  await store.writeCheckpoint();
  return store;
}
