import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScramClient } from '../../test/harness/scram-client.ts';
import type { AuthenticationStep, Credentials, Verdict } from '../core/ports.ts';
import { silentLog } from '../telemetry/log.ts';
import { UserList } from './user-list.ts';

const USERS = [
  { userName: 'ann', password: 'secret', groups: ['users', 'admins'] },
  { userName: 'bob', password: '', groups: [] },
];
const GUEST = { userName: 'guest', groups: ['guests'] };

function credentials(given: Partial<Credentials> = {}): Credentials {
  return {
    clientId: 'c',
    connector: 'mqtt',
    remoteAddress: '127.0.0.1:1',
    userName: null,
    password: null,
    certificateName: null,
    ...given,
  };
}

function as(userName: string | null, password: string | null): Credentials {
  return credentials({ userName, password: password === null ? null : Buffer.from(password) });
}

const WRONG: Verdict = { kind: 'refused', reason: 'badUserNameOrPassword', text: 'the user name or the password is wrong' };

test('a user with the right password is let in with its groups', async () => {
  const list = new UserList({ users: USERS, anonymous: null }, silentLog);
  assert.deepEqual(list.authenticate(as('ann', 'secret')), {
    kind: 'admitted',
    principal: { userName: 'ann', groups: ['users', 'admins'] },
  });
});

test('a wrong password, none, and a name that nobody has are refused in the same words', async () => {
  const list = new UserList({ users: USERS, anonymous: GUEST }, silentLog);
  for (const wrong of [
    as('ann', 'Secret'),
    as('ann', ''),
    as('ann', null),
    as('eve', 'secret'),
    as('', ''),
    as(null, 'secret'),
    as('bob', null),
  ])
    assert.deepEqual(list.authenticate(wrong), WRONG);
});

test('whoever gives neither name nor password is the anonymous user, where there is one', async () => {
  const open = new UserList({ users: USERS, anonymous: GUEST }, silentLog);
  assert.deepEqual(open.authenticate(as(null, null)), { kind: 'admitted', principal: GUEST });
  const closed = new UserList({ users: USERS, anonymous: null }, silentLog);
  assert.deepEqual(closed.authenticate(as(null, null)), {
    kind: 'refused',
    reason: 'notAuthorized',
    text: 'a user name and a password are needed',
  });
});

test('a certificate lets in the user of its name without a password, and nobody else', async () => {
  const list = new UserList({ users: USERS, anonymous: GUEST }, silentLog);
  assert.equal(list.authenticate(credentials({ certificateName: 'ann', userName: 'bob' })).kind, 'admitted');
  const stranger = list.authenticate(credentials({ certificateName: 'eve', userName: 'ann', password: Buffer.from('secret') }));
  assert.equal(stranger.kind, 'refused');
});

test('the users of the list log in by SCRAM-SHA-256 too', async () => {
  const { scram } = new UserList({ users: USERS, anonymous: GUEST }, silentLog);
  const exchange = scram.start();
  const client = new ScramClient('ann', 'secret');
  const question = (await exchange.step(client.first)) as AuthenticationStep & { kind: 'continue' };
  assert.match(question.data!.toString(), /,i=4096$/);
  assert.deepEqual(await exchange.step(client.final(question.data!)), {
    kind: 'admitted',
    principal: { userName: 'ann', groups: ['users', 'admins'] },
    data: client.expectedServerFinal,
  });
});

test('a name that no SCRAM client can send is said, and logs in by password all the same', async () => {
  const said: string[] = [];
  const log = { ...silentLog, warn: (message: string, facts: object = {}) => said.push(`${message} ${JSON.stringify(facts)}`) };
  const list = new UserList({ users: [{ userName: 'a\u202eb', password: 'p', groups: [] }], anonymous: null }, log);
  await list.ready();
  assert.equal(list.authenticate(as('a\u202eb', 'p')).kind, 'admitted');
  assert.equal(said.length, 1);
  assert.match(said[0]!, /SASLprep/);
});
