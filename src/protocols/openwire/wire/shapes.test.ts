import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as commands from './commands.ts';
import { shapeOf } from './shapes.ts';
import { TYPES } from './type-table.ts';

test('every shape takes and makes its fields in the order of the type table', () => {
  for (const { code, name, fields } of TYPES) {
    const shape = shapeOf(code)!;
    const slots = Array.from(fields.keys(), (field, index) => `${index} ${field}`);
    const value = shape.make(slots);
    assert.deepEqual(value, { kind: code, ...Object.fromEntries([...fields.keys()].map((field, index) => [field, slots[index]])) }, name);
    assert.deepEqual(Object.keys(value), ['kind', ...fields.keys()], `${name}: fields in table order`);
    const taken: unknown[] = new Array(fields.size);
    shape.take(value as never, taken);
    assert.deepEqual(taken, slots, name);
  }
});

test('every type has a factory, which fills in what is not named as the type table says', () => {
  for (const { code, name, fields } of TYPES) {
    const factory = (commands as Record<string, unknown>)[`create${name}`] as (fields?: object) => commands.DataStructure;
    const expected: Record<string, unknown> = { kind: code };
    for (const [field, { initial }] of fields) expected[field] = initial;
    assert.deepEqual(factory(), expected, name);
  }
});

test('a factory keeps what it is given, null and false included', () => {
  const info = commands.createConnectionInfo({ clientMaster: false, clientId: 'c', connectionId: null });
  assert.equal(info.clientMaster, false);
  assert.equal(info.clientId, 'c');
  assert.equal(info.connectionId, null);
  assert.equal(commands.createConnectionInfo().clientMaster, true);
  assert.equal(commands.createRemoveInfo().lastDeliveredSequenceId, -2);
});

test('commands, messages and responses are told from other structures', () => {
  const {
    createBlobMessage,
    createBrokerId,
    createIntegerResponse,
    createPartialCommand,
    createPlainMessage,
    createResponse,
    createWireFormatInfo,
  } = commands;
  const structures = [
    createResponse(),
    createIntegerResponse(),
    createPlainMessage(),
    createBlobMessage(),
    createWireFormatInfo(),
    createBrokerId(),
    createPartialCommand(),
  ];
  assert.deepEqual(structures.map(commands.isResponse), [true, true, false, false, false, false, false]);
  assert.deepEqual(structures.map(commands.isMessage), [false, false, true, true, false, false, false]);
  assert.deepEqual(structures.map(commands.isCommand), [true, true, true, true, false, false, false]);
});
