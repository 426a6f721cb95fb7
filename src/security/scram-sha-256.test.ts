import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ScramClient } from '../../test/harness/scram-client.ts';
import { SOAK_FACTOR } from '../../test/harness/soak.ts';
import type { AuthenticationExchange, AuthenticationStep } from '../core/ports.ts';
import { deriveScramCredential } from './scram-credential.ts';
import { parseClientFinal, parseClientFirst, SCRAM_MESSAGE_BYTES_MAX } from './scram-message.ts';
import { ScramSha256, type ScramUser } from './scram-sha-256.ts';

/** Few, so that the tests are quick. */
const ITERATIONS = 10;

async function mechanism(users: Readonly<Record<string, string>>): Promise<ScramSha256> {
  const known = new Map<string, ScramUser>();
  for (const [userName, password] of Object.entries(users))
    known.set(userName, { credential: await deriveScramCredential(password, ITERATIONS), principal: { userName, groups: ['g'] } });
  return new ScramSha256({ find: (userName) => known.get(userName) ?? null, iterations: ITERATIONS });
}

/** The server's question. */
async function ask(exchange: AuthenticationExchange, first: Buffer): Promise<Buffer> {
  const step = await exchange.step(first);
  assert.equal(step.kind, 'continue', JSON.stringify(step));
  return (step as AuthenticationStep & { kind: 'continue' }).data!;
}

async function logIn(server: ScramSha256, client: ScramClient): Promise<AuthenticationStep> {
  const exchange = server.start();
  return exchange.step(client.final(await ask(exchange, client.first)));
}

test('the example of RFC 7677 section 3, byte for byte', async () => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  const credential = await deriveScramCredential('pencil', 4096, salt);
  const server = new ScramSha256({
    find: (userName) => (userName === 'user' ? { credential, principal: { userName, groups: [] } } : null),
    createNonce: () => '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  });
  const exchange = server.start();
  const question = await ask(exchange, Buffer.from('n,,n=user,r=rOprNGfwEbeRWgbNEkqO'));
  assert.equal(question.toString(), 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096');
  const answer = 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';
  assert.deepEqual(await exchange.step(Buffer.from(answer)), {
    kind: 'admitted',
    principal: { userName: 'user', groups: [] },
    data: Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='),
  });
});

test('a user with the right password is let in, and the server proves itself', async () => {
  const server = await mechanism({ ann: 'secret', 'a,b=c': 'sec,ret=' });
  for (const [userName, password] of [
    ['ann', 'secret'],
    ['a,b=c', 'sec,ret='],
  ] as const) {
    const client = new ScramClient(userName, password);
    const step = await logIn(server, client);
    assert.deepEqual(step, { kind: 'admitted', principal: { userName, groups: ['g'] }, data: client.expectedServerFinal });
  }
});

test('a client that could bind to its channel is let in without (RFC 5802 section 6)', async () => {
  const server = await mechanism({ ann: 'secret' });
  const step = await logIn(server, new ScramClient('ann', 'secret', 'nonce', 'y,,'));
  assert.equal(step.kind, 'admitted');
});

test('a client that names itself as the one to act as is let in', async () => {
  const server = await mechanism({ ann: 'secret' });
  assert.equal((await logIn(server, new ScramClient('ann', 'secret', 'nonce', 'n,a=ann,'))).kind, 'admitted');
});

test('a wrong password and an unknown user are refused in the same words', async () => {
  const server = await mechanism({ ann: 'secret' });
  const wrong = await logIn(server, new ScramClient('ann', 'guess'));
  const unknown = await logIn(server, new ScramClient('bob', 'guess'));
  assert.deepEqual(wrong, {
    kind: 'refused',
    reason: 'badUserNameOrPassword',
    text: 'SCRAM-SHA-256: the user name or the password is wrong',
  });
  assert.deepEqual(unknown, wrong);
});

test('a name that nobody has gets a salt of its own, the same at each attempt and no other at another server', async () => {
  const server = await mechanism({ ann: 'secret' });
  const saltOf = async (from: ScramSha256, userName: string) =>
    /^r=nonce[\x21-\x2b\x2d-\x7e]+,s=([A-Za-z0-9+/]{22}==),i=10$/.exec(
      (await ask(from.start(), new ScramClient(userName, '', 'nonce').first)).toString(),
    )?.[1];
  const bob = await saltOf(server, 'bob');
  assert.ok(bob !== undefined);
  assert.ok((await saltOf(server, 'ann')) !== undefined, 'a known user’s looks the same');
  assert.equal(await saltOf(server, 'bob'), bob);
  assert.notEqual(await saltOf(server, 'bo'), bob);
  assert.notEqual(await saltOf(await mechanism({}), 'bob'), bob);
});

test('a nonce is never the same twice', async () => {
  const server = await mechanism({ ann: 'secret' });
  const first = new ScramClient('ann', 'secret').first;
  assert.notDeepEqual(await ask(server.start(), first), await ask(server.start(), first));
});

test('a client that says nothing at first is asked to begin', async () => {
  const server = await mechanism({ ann: 'secret' });
  const exchange = server.start();
  for (const nothing of [null, Buffer.alloc(0)]) assert.deepEqual(await exchange.step(nothing), { kind: 'continue', data: null });
  assert.match((await ask(exchange, new ScramClient('ann', 'secret').first)).toString(), /^r=/);
});

test('user names are compared as SASLprep makes them', async () => {
  const server = await mechanism({ '\u00e9': 'secret' });
  assert.equal((await logIn(server, new ScramClient('e\u0301', 'secret'))).kind, 'admitted');
});

for (const { what, first, why } of [
  { what: 'nothing of the kind', first: 'hello', why: /first message is not one/ },
  { what: 'no GS2 header', first: 'n=ann,r=x', why: /first message is not one/ },
  { what: 'no nonce', first: 'n,,n=ann', why: /first message is not one/ },
  { what: 'an empty nonce', first: 'n,,n=ann,r=', why: /first message is not one/ },
  { what: 'a space in its nonce', first: 'n,,n=ann,r=a b', why: /first message is not one/ },
  { what: 'an empty user name', first: 'n,,n=,r=x', why: /first message is not one/ },
  { what: 'a name with a bare equals sign', first: 'n,,n=a=b,r=x', why: /first message is not one/ },
  { what: 'a mandatory extension', first: 'n,,m=1,n=ann,r=x', why: /first message is not one/ },
  { what: 'U+0000', first: 'n,,n=a\0b,r=x', why: /first message is not one/ },
  { what: 'a line end behind it', first: 'n,,n=ann,r=x\n', why: /first message is not one/ },
  { what: 'a wish for channel binding', first: 'p=tls-unique,,n=ann,r=x', why: /channel binding is not supported/ },
  { what: 'another user to act as', first: 'n,a=root,n=ann,r=x', why: /acting as another user/ },
  { what: 'a name with a control character', first: 'n,,n=a\u0007,r=x', why: /SASLprep prohibits/ },
  { what: 'a name of nothing that is kept', first: 'n,,n=\u00ad,r=x', why: /SASLprep prohibits/ },
]) {
  test(`SCRAM: a first message with ${what} is refused`, async () => {
    const step = await (await mechanism({ ann: 'secret' })).start().step(Buffer.from(first));
    assert.equal(step.kind, 'refused');
    assert.match((step as { text: string }).text, why);
  });
}

test('SCRAM: a first message that is no UTF-8 or too long is refused', async () => {
  const server = await mechanism({ ann: 'secret' });
  const long = Buffer.from(`n,,n=ann,r=${'x'.repeat(SCRAM_MESSAGE_BYTES_MAX)}`);
  for (const first of [Buffer.from('6e2c2c6e3dff2c723d78', 'hex'), long]) assert.equal((await server.start().step(first)).kind, 'refused');
});

for (const { what, change, why } of [
  { what: 'nothing of the kind', change: () => 'hello', why: /final message is not one/ },
  { what: 'no proof', change: (final: string) => final.replace(/,p=.*$/, ''), why: /final message is not one/ },
  { what: 'a proof that is no base64', change: (final: string) => final.replace(/,p=.*$/, ',p=AA=A'), why: /final message is not one/ },
  { what: 'a short proof', change: (final: string) => final.replace(/,p=.*$/, ',p=AAAA'), why: /not of the right size/ },
  { what: 'another header', change: (final: string) => final.replace('c=biws', 'c=eSws'), why: /not for the first one’s header/ },
  { what: 'another nonce', change: (final: string) => final.replace(/,r=[^,]*/, ',r=other'), why: /not for this exchange’s nonce/ },
  { what: 'something behind its proof', change: (final: string) => `${final},x=1`, why: /final message is not one/ },
]) {
  test(`SCRAM: a final message with ${what} is refused, though the password is right`, async () => {
    const exchange = (await mechanism({ ann: 'secret' })).start();
    const client = new ScramClient('ann', 'secret');
    const final = client.final(await ask(exchange, client.first)).toString();
    const step = await exchange.step(Buffer.from(change(final)));
    assert.equal(step.kind, 'refused');
    assert.match((step as { text: string }).text, why);
  });
}

test('SCRAM: no final message at all is refused', async () => {
  const exchange = (await mechanism({ ann: 'secret' })).start();
  await ask(exchange, new ScramClient('ann', 'secret').first);
  assert.equal((await exchange.step(null)).kind, 'refused');
});

test('SCRAM: a proof with any byte changed is refused', async () => {
  const server = await mechanism({ ann: 'secret' });
  for (let i = 0; i < 32; i++) {
    const exchange = server.start();
    const client = new ScramClient('ann', 'secret');
    const [head, proof] = client
      .final(await ask(exchange, client.first))
      .toString()
      .split(',p=') as [string, string];
    const changed = Buffer.from(proof, 'base64');
    changed[i] = changed[i]! ^ 1;
    const step = await exchange.step(Buffer.from(`${head},p=${changed.toString('base64')}`));
    assert.equal(step.kind, 'refused');
  }
});

test('a password that SASLprep refuses works for a client that does not prepare it', async () => {
  const server = await mechanism({ ann: 'a\u0007b' });
  assert.equal((await logIn(server, new ScramClient('ann', 'a\u0007b'))).kind, 'admitted');
});

test('any name and password that SASLprep leaves alone log in, and no other password does', async () => {
  const word = fc.string({
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(word, word, word, async (userName, password, guess) => {
      const server = await mechanism({ [userName]: password });
      assert.equal((await logIn(server, new ScramClient(userName, password))).kind, 'admitted');
      assert.equal((await logIn(server, new ScramClient(userName, guess))).kind, guess === password ? 'admitted' : 'refused');
    }),
    { numRuns: 50 * SOAK_FACTOR },
  );
});

test('arbitrary bytes are a message or none, and raise nothing', () => {
  const alphabet = fc.constantFrom(...'nyparcsvm=,=,+/AZaz09 \0\u00e9'.split(''));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc.string({ unit: alphabet, maxLength: 60 }).map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(bytes, (found) => {
      const data = Buffer.from(found);
      const first = parseClientFirst(data);
      if (first !== null) assert.equal(first.gs2Header + first.bare, data.toString());
      const final = parseClientFinal(data);
      if (final !== null) assert.equal(`${final.withoutProof},p=${final.proof.toString('base64')}`, data.toString());
    }),
    { numRuns: 5_000 * SOAK_FACTOR },
  );
});
