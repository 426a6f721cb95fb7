/** A copy with room for half as many again: arrays of numbers that live long grow by little, so that little is unused. */
export function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.ceil(array.length * 1.5));
  larger.set(array);
  return larger;
}
