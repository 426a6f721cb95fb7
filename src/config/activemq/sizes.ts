/** Largest Java int: what ActiveMQ's int properties hold. */
export const INT_MAX = 2_147_483_647;

/** Powers of 1024. ActiveMQ knows no terabyte. */
const UNIT_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  kb: 1024,
  m: 1024 ** 2,
  mb: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1024 ** 3,
};

export type Size = { readonly bytes: number } | { readonly problem: string };

/**
 * Reads a size as ActiveMQ's MemoryPropertyEditor does: digits and a unit (b, k, kb, m, mb, g, gb in either case,
 * powers of 1024), with spaces around either. `100 gb` is 107,374,182,400 bytes.
 *
 * A size above `maximum` is a problem; ActiveMQ lets an int overflow in silence (`4gb` becomes 0).
 */
export function parseSize(text: string, maximum: number = Number.MAX_SAFE_INTEGER): Size {
  const matched = /^\s*(\d+)\s*([A-Za-z]*)\s*$/.exec(text);
  const unit = matched === null ? undefined : UNIT_BYTES[matched[2]!.toLowerCase()];
  if (matched === null) {
    return { problem: `expected a size such as 64mb or "100 gb" (digits and one of b, kb, mb, gb), found "${text}"` };
  }
  if (unit === undefined) return { problem: `unit must be b, kb, mb or gb, found "${matched[2]}"` };
  const bytes = BigInt(matched[1]!) * BigInt(unit);
  if (bytes > BigInt(maximum)) {
    return { problem: `${text.trim()} is ${bytes} bytes, more than the largest value possible here, ${maximum}` };
  }
  return { bytes: Number(bytes) };
}
