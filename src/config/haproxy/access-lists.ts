import { isIP, isIPv4 } from 'node:net';
import type { ProxyDraft } from './drafts.ts';
import { ADDRESS_FETCHES, PREDEFINED_ACLS, SAMPLE_CONVERTERS, SAMPLE_FETCHES } from './sample-names.ts';

/**
 * Checks ACLs and conditions (configuration manual section 7.1 and 7.2). Nothing evaluates them yet, and rules that would need it are refused;
 * but a misspelt one is a mistake all the same, and HAProxy names it.
 */

/** What is wrong with `FETCH[(args)][,CONVERTER...] [flags] [--] pattern...`, in HAProxy's words; null when nothing was found. */
export function checkAclExpression(words: readonly string[]): string | null {
  const expression = words[0] ?? '';
  const fetch = /^[^(,]*/.exec(expression)![0];
  if (fetch === '') return `missing fetch method in ACL expression '${expression}'`;
  if (!SAMPLE_FETCHES.has(fetch)) return `unknown fetch method '${fetch}' in ACL expression '${expression}'`;
  const converters = splitConverters(expression.slice(fetch.length));
  for (const converter of converters) {
    if (!SAMPLE_CONVERTERS.has(converter)) return `unknown converter '${converter}' in ACL expression '${expression}'`;
  }
  if (!ADDRESS_FETCHES.has(fetch) || converters.length > 0) return null;
  return checkAddressPatterns(words.slice(1));
}

/** Names after the commas that stand outside brackets: `(0,0),mqtt_is_valid` gives `mqtt_is_valid`. */
function splitConverters(rest: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let current = '';
  for (const c of rest) {
    if (c === '(') depth++;
    else if (c === ')') depth--;
    else if (c === ',' && depth === 0) {
      parts.push(current);
      current = '';
    } else if (depth === 0) current += c;
  }
  parts.push(current);
  // What stands before the first comma belongs to the fetch; a comma at the end is followed by nothing.
  return parts.slice(1).filter((name) => name !== '');
}

function checkAddressPatterns(words: readonly string[]): string | null {
  let at = 0;
  for (; words[at]?.startsWith('-') && words[at] !== '--'; at++) {
    // Flags with an argument: another way of matching, or patterns that stand in a file.
    if (['-m', '-f', '-M', '-u'].includes(words[at]!)) return null;
    if (words[at] !== '-i' && words[at] !== '-n') {
      return `'${words[at]}' is not a valid ACL option. Please use '--' before any pattern beginning with a '-'`;
    }
  }
  if (words[at] === '--') at++;
  const wrong = words.slice(at).find((pattern) => !isAddressPattern(pattern));
  return wrong === undefined ? null : `'${wrong}' is not a valid IPv4 or IPv6 address`;
}

/** An address, with a number of bits or a mask; names may be resolved by HAProxy and are let pass. */
function isAddressPattern(pattern: string): boolean {
  const [address = '', mask, extra] = pattern.split('/');
  if (extra !== undefined) return false;
  const version = isIP(address);
  if (mask !== undefined) {
    const bits = /^[0-9]+$/.test(mask) ? Number(mask) : -1;
    if (!(bits >= 0 && bits <= (version === 6 ? 128 : 32)) && !isIPv4(mask)) return false;
  }
  // HAProxy resolves a name here; one without a dot that is no address hardly is one.
  return version !== 0 || /^[0-9.]+$/.test(address) || address.includes('.');
}

/** What is wrong with the words after `if` or `unless`, in HAProxy's words; null when nothing is. */
export function checkCondition(proxy: ProxyDraft, words: readonly string[]): string | null {
  for (let at = 0; at < words.length; at++) {
    let word = words[at]!;
    if (word === 'or' || word === '||') continue;
    while (word.startsWith('!')) word = word.slice(1);
    if (word === '') continue;
    if (word === '{') {
      const close = words.indexOf('}', at + 1);
      if (close < 0) return "missing closing '}' in condition";
      const problem = checkAclExpression(words.slice(at + 1, close));
      if (problem !== null) return problem;
      at = close;
    } else if (!PREDEFINED_ACLS.has(word) && !proxy.acls.some((acl) => acl.name === word)) {
      return `no such ACL : '${word}'`;
    }
  }
  return null;
}
