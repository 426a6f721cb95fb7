import { atol, isWholeNumber, parseTime } from './durations.ts';
import type { Place } from './model.ts';
import type { Reading, Statement } from './reading.ts';
import type { ReportOptions } from './report.ts';

/** How one keyword words its complaints about a time. */
export interface TimeWords {
  readonly unit?: 'ms' | 's';
  readonly overflow: string;
  readonly unexpected: (character: string) => string;
  readonly options?: ReportOptions;
}

/** Reads a time, reports what is wrong with it and then returns null. */
export function readTime(reading: Reading, place: Place, text: string, words: TimeWords): number | null {
  const result = parseTime(text, words.unit);
  switch (result.kind) {
    case 'time':
      if (result.trailing !== null) warnTrailing(reading, place, result.trailing, text);
      return result.value;
    case 'overflow':
      reading.report.alert(place, words.overflow, words.options);
      return null;
    case 'unexpected':
      reading.report.alert(place, words.unexpected(result.character), words.options);
      return null;
  }
}

/** HAProxy 2.6 lets a character after the unit pass; later versions do not. `head` names the server whose line it is on. */
export function warnTrailing(reading: Reading, place: Place, character: string, text: string, head = ''): undefined {
  reading.report.warn(
    place,
    `${head}unexpected character '${character}' after the timer value '${text}', only ` +
      '(us=microseconds,ms=milliseconds,s=seconds,m=minutes,h=hours,d=days) are supported. ' +
      'This will be reported as an error in next versions.',
    { form: head === '' ? '' : '[] : ' },
  );
}

/** The number that HAProxy makes of the text, with a warning of ours where the text is no number: HAProxy takes that for 0 in silence. */
export function readNumber(reading: Reading, statement: Statement, index: number, what = statement.keyword): number {
  const text = statement.word(index);
  const value = atol(text);
  if (!isWholeNumber(text)) {
    reading.report.caution(statement.place, `'${what}' expects an integer, '${text}' is taken for ${value}.`, { keyword: what });
  } else if (!Number.isSafeInteger(value)) {
    reading.report.caution(statement.place, `'${what}' of ${text} is beyond what can be counted.`, { keyword: what });
  }
  return value;
}
