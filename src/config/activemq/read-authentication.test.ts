// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are part of what is read
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerFile, readText, saidOfBroker } from '../../../test/harness/activemq-file.ts';

const ANN = '<authenticationUser username="ann" password="secret" groups="users, admins"/>';

function plugin(inside: string, attributes = ''): string {
  return `<plugins><simpleAuthenticationPlugin${attributes}>${inside}</simpleAuthenticationPlugin></plugins>`;
}

function authenticationOf(inside: string, options: Parameters<typeof readText>[1] = {}) {
  const { model, diagnostics } = readText(brokerFile(inside), options);
  assert.deepEqual(diagnostics, []);
  return model!.authentication;
}

test('a file without the plugin lets everybody in, as ever', () => {
  assert.equal(authenticationOf(''), null);
});

test('users are read with their groups, to the letter, and nobody is anonymous unless the file says so', () => {
  const users = `<users>${ANN}<authenticationUser username="b b" password=" p&amp;w "/></users>`;
  assert.deepEqual(authenticationOf(plugin(users)), {
    users: [
      { userName: 'ann', password: 'secret', groups: ['users', 'admins'] },
      { userName: 'b b', password: ' p&w ', groups: [] },
    ],
    anonymous: null,
  });
});

test('anonymous clients have a user name and a group, ActiveMQ’s or the file’s', () => {
  const users = `<users>${ANN}</users>`;
  assert.deepEqual(authenticationOf(plugin(users, ' anonymousAccessAllowed="true"'))?.anonymous, {
    userName: 'anonymous',
    groups: ['anonymous'],
  });
  const named = ' anonymousAccessAllowed="true" anonymousUser="guest" anonymousGroup="guests"';
  assert.deepEqual(authenticationOf(plugin(users, named))?.anonymous, { userName: 'guest', groups: ['guests'] });
  assert.deepEqual(authenticationOf(plugin('', named))?.users, []);
});

test('names, passwords and groups may be placeholders', () => {
  const user = '<authenticationUser username="${who}" password="${activemq.password}" groups="${groups}"/>';
  const defines = new Map([
    ['who', 'system'],
    ['activemq.password', 'man,ager'],
    ['groups', 'a,b'],
  ]);
  assert.deepEqual(authenticationOf(plugin(`<users>${user}</users>`), { defines })?.users, [
    { userName: 'system', password: 'man,ager', groups: ['a', 'b'] },
  ]);
});

test('the plugin may be a Spring bean that the broker refers to', () => {
  const text = `<beans xmlns="http://www.springframework.org/schema/beans">
<bean id="auth" class="org.apache.activemq.security.SimpleAuthenticationPlugin"><property name="users"><list>
<bean class="org.apache.activemq.security.AuthenticationUser"><property name="username" value="ann"/><property name="password" value="secret"/></bean>
</list></property></bean>
<broker xmlns="http://activemq.apache.org/schema/core" plugins="#auth"><transportConnectors><transportConnector uri="mqtt://127.0.0.1:1"/></transportConnectors></broker></beans>`;
  const { model, diagnostics } = readText(text);
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(model!.authentication?.users, [{ userName: 'ann', password: 'secret', groups: [] }]);
});

test('userPasswords and userGroups are maps, in every form that Spring has for one', () => {
  const maps = `<userPasswords><map><entry key="ann" value="secret"/><entry key="bob"><value>pw</value></entry>
<entry value="x"><key><value>cid</value></key></entry></map></userPasswords>
<userGroups><entry key="ann" value="a,b"/><entry key="bob"><set><value>b</value><bean class="org.apache.activemq.jaas.GroupPrincipal"><constructor-arg value="c"/></bean></set></entry></userGroups>`;
  assert.deepEqual(authenticationOf(plugin(maps))?.users, [
    { userName: 'ann', password: 'secret', groups: ['a', 'b'] },
    { userName: 'bob', password: 'pw', groups: ['b', 'c'] },
    { userName: 'cid', password: 'x', groups: [] },
  ]);
});

test('userGroups adds to what a user has', () => {
  const groups = '<userGroups><entry key="ann" value="admins,more"/></userGroups>';
  assert.deepEqual(authenticationOf(plugin(`<users>${ANN}</users>${groups}`))?.users[0]?.groups, ['users', 'admins', 'more']);
});

for (const [inside, ...expected] of [
  [plugin('<users><authenticationUser username="ann"/></users>'), '2:45: error: <authenticationUser> needs a username and a password'],
  [plugin('<users><authenticationUser password="secret"/></users>'), '2:45: error: <authenticationUser> needs a username and a password'],
  [
    plugin('<users><authenticationUser username="" password="secret"/></users>'),
    '2:45: error: <authenticationUser> needs a username and a password',
  ],
  [
    plugin('<users><authenticationUser username="ann" password="${nobody.knows}"/></users>'),
    '2:90: error: ${nobody.knows} is not defined: not by -D nobody.knows=..., not in the environment',
  ],
  [plugin(`<users>${ANN}${ANN}</users>`), '2:122: warning: user ann is there twice; as in ActiveMQ the last one counts'],
  [
    plugin('<users><authenticationUser username="ann" password=""/></users>'),
    '2:10: warning: the password of ann is empty: whoever knows the name is let in',
  ],
  [plugin(''), '2:10: warning: <simpleAuthenticationPlugin> has no users: nobody can connect'],
  [
    `<plugins>\n<simpleAuthenticationPlugin><users>${ANN}</users></simpleAuthenticationPlugin>\n<simpleAuthenticationPlugin anonymousAccessAllowed="true"/></plugins>`,
    '4:1: error: there is a <simpleAuthenticationPlugin> in line 3 already: write all users there',
  ],
  [
    plugin(`<users>${ANN}</users>`, ' anonymousAccessAllowed="perhaps"'),
    '2:62: error: anonymousAccessAllowed: expected true or false, found "perhaps"',
  ],
  [
    plugin(`<users>${ANN}</users>`, ' anonymousAccesAllowed="true"'),
    '2:38: error: unknown attribute anonymousAccesAllowed of <simpleAuthenticationPlugin>: expected anonymousAccessAllowed, anonymousGroup, anonymousUser, userGroups, userPasswords or users; did you mean anonymousAccessAllowed?',
  ],
  [plugin('<users><user name="ann"/></users>'), '2:45: error: unknown element <user> in <users>: expected <authenticationUser>'],
  [
    plugin(`<users>${ANN}</users>`, ' userPasswords="#passwords"'),
    '2:38: error: userPasswords needs entries: <map><entry key="..." value="..."/></map>',
  ],
  [
    plugin('<userPasswords><map><entry key="ann"/></map></userPasswords>'),
    '2:58: error: an <entry> of <userPasswords> needs a key and a value: <entry key="..." value="..."/>',
  ],
  [
    plugin('<userPasswords><prop key="ann">x</prop></userPasswords>'),
    '2:53: error: <prop> cannot stand in <userPasswords>: expected <entry key="..." value="..."/>',
  ],
  [
    plugin('<userPasswords><entry key="ann"><list><value>a</value><value>b</value></list></entry></userPasswords>'),
    '2:53: error: user ann has more than one password',
  ],
  [
    plugin(`<users>${ANN}</users><userGroups><entry key="eve" value="g"/></userGroups>`),
    '2:142: warning: there is no user eve to be in a group',
  ],
] as const) {
  test(`${inside.slice(9, 110)} gets its message`, () => {
    const said = saidOfBroker(inside).map((line) => line.replace('broker.xml:', ''));
    for (const line of expected) assert.ok(said.includes(line), said.join('\n'));
    assert.doesNotMatch(said.join('\n'), /secret/, 'no message has a password in it');
  });
}
