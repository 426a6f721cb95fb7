import { booleanOf, textOf } from './bean-values.ts';
import type { Bean } from './bind.ts';
import type { SimpleAuthenticationModel } from './model.ts';
import type { Reading } from './reading.ts';
import { type LocatedText, split } from './source-text.ts';

type User = SimpleAuthenticationModel['users'][number];

/** ActiveMQ's user and group of clients that name none. */
const ANONYMOUS = 'anonymous';

/**
 * The broker's `<simpleAuthenticationPlugin>`. No message has a password in it.
 * @returns null when there is none: whoever connects is let in
 */
export function readAuthentication(broker: Bean, reading: Reading): SimpleAuthenticationModel | null {
  const [plugin, second] = (broker.beans.get('plugins')?.items ?? []).filter(({ name }) => name === 'simpleAuthenticationPlugin');
  if (plugin === undefined) return null;
  if (second !== undefined) {
    const message = `there is a <simpleAuthenticationPlugin> in line ${plugin.place.line} already: write all users there`;
    reading.error(second.place, second.name, message);
  }
  const users = new Map<string, User>();
  for (const bean of plugin.beans.get('users')?.items ?? []) addUser(bean, users, reading);
  addPasswords(plugin, users, reading);
  addGroups(plugin, users, reading);
  for (const { userName, password } of users.values()) {
    if (password === '') reading.warn(plugin.place, 'password', `the password of ${userName} is empty: whoever knows the name is let in`);
  }
  const isAnonymousAllowed = booleanOf(plugin, 'anonymousAccessAllowed', false);
  if (users.size === 0 && !isAnonymousAllowed) {
    reading.warn(plugin.place, 'users', '<simpleAuthenticationPlugin> has no users: nobody can connect');
  }
  const anonymous = {
    userName: textOf(plugin, 'anonymousUser', ANONYMOUS),
    groups: [textOf(plugin, 'anonymousGroup', ANONYMOUS)],
  };
  return { users: [...users.values()], anonymous: isAnonymousAllowed ? anonymous : null };
}

/** `<authenticationUser username="..." password="..." groups="a,b"/>`. Names and passwords are taken to the letter, spaces too. */
function addUser(bean: Bean, users: Map<string, User>, reading: Reading): void {
  const userName = bean.values.get('username')?.text.text ?? '';
  const password = bean.values.get('password')?.text.text;
  if (userName === '' || password === undefined) {
    if (!bean.failed.has('username') && !bean.failed.has('password'))
      reading.error(bean.place, bean.name, '<authenticationUser> needs a username and a password');
    return;
  }
  if (users.has(userName)) reading.warn(bean.place, 'username', `user ${userName} is there twice; as in ActiveMQ the last one counts`);
  users.set(userName, { userName, password, groups: groupsIn(bean.values.get('groups')?.text) });
}

function addPasswords(plugin: Bean, users: Map<string, User>, reading: Reading): void {
  for (const { place, key, values } of plugin.maps.get('userPasswords') ?? []) {
    const [password, second] = values;
    if (second !== undefined) reading.error(place, 'userPasswords', `user ${key.text} has more than one password`);
    users.set(key.text, { userName: key.text, password: password!.text, groups: users.get(key.text)?.groups ?? [] });
  }
}

function addGroups(plugin: Bean, users: Map<string, User>, reading: Reading): void {
  for (const { place, key, values } of plugin.maps.get('userGroups') ?? []) {
    const user = users.get(key.text);
    if (user === undefined) reading.warn(place, 'userGroups', `there is no user ${key.text} to be in a group`);
    else users.set(key.text, { ...user, groups: [...new Set([...user.groups, ...values.flatMap(groupsIn)])] });
  }
}

function groupsIn(text: LocatedText | undefined): string[] {
  return text === undefined
    ? []
    : split(text, ',')
        .map((group) => group.text)
        .filter((group) => group !== '');
}
