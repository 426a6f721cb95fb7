import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDate, formatHttpLog, formatIsoDate, formatSyslogDate, formatTcpLog, type RequestRecord } from './log-format.ts';

const AT = new Date(2026, 10, 2, 8, 7, 6, 5).getTime();

const RECORD: RequestRecord = {
  client: '127.0.0.1:54850',
  acceptedAtMs: AT,
  frontend: 'fe',
  backend: 'be',
  server: 's2',
  queueMs: 1,
  connectMs: 0,
  totalMs: 106,
  bytes: 1,
  cause: '-',
  state: '-',
  processConnections: 1,
  frontendConnections: 1,
  backendConnections: 0,
  serverConnections: 0,
  retries: 0,
  redispatched: false,
  serverQueue: 0,
  backendQueue: 0,
  early: false,
  status: 200,
  requestLine: null,
};

// Recorded from HAProxy 2.6.12 with the date replaced.
const LINES: readonly (readonly [string, Partial<RequestRecord>, string])[] = [
  ['an orderly end', {}, '127.0.0.1:54850 [02/Nov/2026:08:07:06.005] fe be/s2 1/0/106 1 -- 1/1/0/0/0 0/0'],
  [
    'a redispatched session has a + before its retries',
    { retries: 1, redispatched: true },
    '127.0.0.1:54850 [02/Nov/2026:08:07:06.005] fe be/s2 1/0/106 1 -- 1/1/0/0/+1 0/0',
  ],
  [
    'an early line has a + before time and bytes',
    { early: true, totalMs: 0, bytes: 0, backendConnections: 1, serverConnections: 1 },
    '127.0.0.1:54850 [02/Nov/2026:08:07:06.005] fe be/s2 1/0/+0 +0 -- 1/1/1/1/0 0/0',
  ],
  [
    'no server at all',
    { server: null, queueMs: -1, connectMs: -1, totalMs: 0, bytes: 0, cause: 'S', state: 'C' },
    '127.0.0.1:54850 [02/Nov/2026:08:07:06.005] fe be/<NOSRV> -1/-1/0 0 SC 1/1/0/0/0 0/0',
  ],
  [
    'a time-out in the queue behind another',
    { server: null, queueMs: 2502, connectMs: -1, totalMs: 2501, bytes: 0, cause: 's', state: 'Q', backendQueue: 1 },
    '127.0.0.1:54850 [02/Nov/2026:08:07:06.005] fe be/<NOSRV> 2502/-1/2501 0 sQ 1/1/0/0/0 0/1',
  ],
];

for (const [name, change, line] of LINES) {
  test(`tcplog: ${name}`, () => assert.equal(formatTcpLog({ ...RECORD, ...change }), line));
}

test('httplog: a request of the statistics page', () => {
  const record = { ...RECORD, server: '<STATS>', queueMs: 0, totalMs: 0, bytes: 3538, cause: 'L', state: 'R' } as const;
  assert.equal(
    formatHttpLog({ ...record, requestLine: 'GET /haproxy;csv HTTP/1.1' }),
    '127.0.0.1:54850 [02/Nov/2026:08:07:06.005] fe be/<STATS> 0/0/0/0/0 200 3538 - - LR-- 1/1/0/0/0 0/0 "GET /haproxy;csv HTTP/1.1"',
  );
});

test('httplog: what is no request', () => {
  const record = {
    ...RECORD,
    server: null,
    queueMs: -1,
    connectMs: -1,
    totalMs: 0,
    bytes: 0,
    cause: 'C',
    state: 'R',
    status: 400,
  } as const;
  assert.equal(
    formatHttpLog(record),
    '127.0.0.1:54850 [02/Nov/2026:08:07:06.005] fe be/<NOSRV> -1/-1/-1/-1/0 400 0 - - CR-- 1/1/0/0/0 0/0 "<BADREQ>"',
  );
});

test('httplog: a request cannot forge lines or quotes', () => {
  assert.match(formatHttpLog({ ...RECORD, requestLine: 'GET /"\n#é HTTP/1.1' }), / "GET \/#22#0A#23#E9 HTTP\/1\.1"$/);
});

test('dates are local and padded as each format wants them', () => {
  assert.equal(formatDate(AT), '02/Nov/2026:08:07:06.005');
  assert.equal(formatSyslogDate(AT), 'Nov  2 08:07:06');
  assert.match(formatIsoDate(AT), /^2026-11-02T08:07:06\.005000[+-]\d\d:\d\d$/);
});
