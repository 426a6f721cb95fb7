import { hasBackend, hasFrontend, kindName, type ProxyDraft } from './drafts.ts';
import type { Reading, Statement } from './reading.ts';

/** First character that HAProxy does not allow in the name of a section, server or ACL; null when all are fine. */
export function invalidNameCharacter(name: string): string | null {
  return /[^A-Za-z0-9_.:-]/u.exec(name)?.[0] ?? null;
}

/** Warns of a keyword that is for the other side of a proxy; true when it did. */
export function warnWithout(
  reading: Reading,
  statement: Statement,
  proxy: ProxyDraft,
  side: 'frontend' | 'backend',
  what = statement.keyword,
  hint = '',
): boolean {
  if (side === 'frontend' ? hasFrontend(proxy) : hasBackend(proxy)) return false;
  reading.report.warn(
    statement.place,
    `'${what}' ignored because ${kindName(proxy)} '${proxy.name}' has no ${side} capability.${hint === '' ? '' : ` ${hint}`}`,
    { keyword: what },
  );
  return true;
}
