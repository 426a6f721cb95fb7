/** Text as HTML text or as the value of a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** A number whose thousands stand apart to the eye and not in the text, so that it is copied as one number. */
export function grouped(value: string | number): string {
  const digits = String(value);
  if (!/^\d{4,}$/.test(digits)) return escapeHtml(digits);
  const groups = digits.replace(/\B(?=(\d{3})+$)/g, ' ').split(' ');
  return groups.map((group, i) => (i === groups.length - 1 ? group : `<span class="k">${group}</span>`)).join('');
}

/** HAProxy's way to write a time: its two largest units, `2d3h`, `15m47s`, `0s`. */
export function humanDuration(seconds: number): string {
  const units = [
    ['d', Math.floor(seconds / 86_400)],
    ['h', Math.floor(seconds / 3_600) % 24],
    ['m', Math.floor(seconds / 60) % 60],
    ['s', Math.floor(seconds) % 60],
  ] as const;
  const first = units.findIndex(([, number]) => number > 0);
  if (first < 0) return '0s';
  return units
    .slice(first, first + 2)
    .filter(([, number]) => number > 0)
    .map(([unit, number]) => `${number}${unit}`)
    .join('');
}
