/** Up to so many bytes a copy is made here; for more, a call into the runtime, which makes an object for each copy, is faster. */
const SHORT_LENGTH = 160;

/** The buffer that was last copied from, which is mostly the next one, too. */
let source: Buffer = Buffer.alloc(0);
let sourceView = viewOf(source);

/** For `copyBytes`. */
export function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}

/**
 * Copies `from[start, end)` to `to` at `at`, four bytes at a time.
 * @param toView `viewOf(to)`, which whoever copies often has at hand
 */
export function copyBytes(from: Buffer, start: number, end: number, to: Buffer, toView: DataView, at: number): void {
  const length = end - start;
  if (length > SHORT_LENGTH) {
    from.copy(to, at, start, end);
    return;
  }
  if (from !== source) {
    source = from;
    sourceView = viewOf(from);
  }
  const fromView = sourceView;
  let i = 0;
  for (; i + 4 <= length; i += 4) toView.setInt32(at + i, fromView.getInt32(start + i, true), true);
  for (; i < length; i++) to[at + i] = from[start + i]!;
}
