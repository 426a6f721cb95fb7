import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BIND_KEYWORDS, GLOBAL_KEYWORDS, PROXY_KEYWORDS, PROXY_OPTIONS, SERVER_KEYWORDS } from './keywords.ts';
import { suggest } from './suggestion.ts';

// The answers are those of HAProxy 2.6.12.
for (const [keywords, word, expected] of [
  [PROXY_KEYWORDS, 'balancer', 'balance'],
  [PROXY_KEYWORDS, 'backends', 'backend'],
  [PROXY_KEYWORDS, 'sue-servre', 'server'],
  [PROXY_KEYWORDS, 'FRONTEND', 'frontend'],
  [PROXY_KEYWORDS, 'xyzzy', null],
  [SERVER_KEYWORDS, 'chek', 'check'],
  [SERVER_KEYWORDS, 'foo', 'tfo'],
  [SERVER_KEYWORDS, 'name', 'namespace'],
  [SERVER_KEYWORDS, 'weigth', 'weight'],
  [SERVER_KEYWORDS, 'check-xl', 'check'],
  [SERVER_KEYWORDS, '5', null],
  [BIND_KEYWORDS, 'ssll', 'ssl'],
  [BIND_KEYWORDS, '4vd6', 'v4v6'],
  [BIND_KEYWORDS, ':81', null],
  [GLOBAL_KEYWORDS, 'demon', 'daemon'],
  [GLOBAL_KEYWORDS, 'bindd', 'unix-bind'],
  [GLOBAL_KEYWORDS, 'tune.fast-forward', 'tune.ssl.maxrecord'],
  [PROXY_OPTIONS, 'tcplogg', 'tcplog'],
] as const) {
  test(`'${word}' suggests ${expected === null ? 'nothing' : `'${expected}'`}`, () =>
    assert.equal(suggest(word, keywords.keys()), expected));
}
