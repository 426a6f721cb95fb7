import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProgressBar } from './progress-bar.ts';

function stream(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, write: (text: string) => written.push(text) };
}

test('a bar shows each percent once, never goes back, begins anew with each stage, and leaves the line empty', () => {
  const terminal = stream(true);
  const bar = new ProgressBar(terminal);
  bar.show('reading', 0, 1_000, 'a');
  bar.show('reading', 1, 1_000, 'a');
  bar.show('reading', 500, 1_000, 'b');
  bar.show('reading', 300, 1_000, 'a');
  bar.show('emptying', 0, 2, '2 files left');
  bar.show('emptying', 3, 2, '0 files left');
  bar.clear();
  bar.clear();
  const line = (filled: number, text: string) => `\r\x1b[K${'█'.repeat(filled)}${'░'.repeat(25 - filled)} ${text}`;
  assert.deepEqual(terminal.written, [
    line(0, '0 % reading a'),
    line(12, '50 % reading b'),
    line(0, '0 % emptying 2 files left'),
    line(25, '100 % emptying 0 files left'),
    '\r\x1b[K',
  ]);
});

test('nothing is written where there is no terminal, or where it is not wanted', () => {
  const file = stream(false);
  const other = stream(true);
  for (const bar of [new ProgressBar(file), new ProgressBar(other, false)]) {
    bar.show('reading', 1, 2, 'a');
    bar.clear();
  }
  assert.deepEqual([file.written, other.written], [[], []]);
});
