import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uniqueNames } from './deployment.ts';

test('a file is called by its base name, and by as many folders as tell it from others', () => {
  assert.deepEqual(uniqueNames(['conf/activemq-1.xml', './activemq-2.xml', '/etc/haproxy.cfg']), ['activemq-1', 'activemq-2', 'haproxy']);
  assert.deepEqual(uniqueNames(['one/activemq.xml', 'two/activemq.xml', 'haproxy.cfg']), ['one/activemq', 'two/activemq', 'haproxy']);
  assert.deepEqual(uniqueNames(['a/x/b.xml', 'c/x/b.xml']), ['a/x/b', 'c/x/b']);
  assert.deepEqual(uniqueNames(['b.xml', 'a/b.xml']), ['b-1', 'a/b']);
  assert.deepEqual(uniqueNames(['same.xml', 'same.cfg']), ['same-1', 'same-2']);
});
