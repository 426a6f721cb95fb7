import type { FieldForm, FieldForms } from './field-forms.ts';
import { LOOSE } from './loose.ts';
import { shapeOf } from './shapes.ts';
import type { AllowedCodes, Plan, Plans } from './structure-io.ts';
import { TIGHT } from './tight.ts';
import { codesOf, type Field, type NestedTypes, TYPES, type TypeSpec } from './type-table.ts';

const compiled = new Map<string, Plans>();

/** How to read and write every type in this version and encoding: made from the type table at first use, then kept. */
export function plansFor(version: number, tight: boolean): Plans {
  const key = `${version} ${tight}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const plans: (Plan | undefined)[] = new Array(256).fill(undefined);
  for (const type of TYPES) if (type.since <= version) plans[type.code] = compile(type, version, tight ? TIGHT : LOOSE);
  compiled.set(key, plans);
  return plans;
}

function compile(type: TypeSpec, version: number, forms: FieldForms): Plan {
  const present = [...type.fields]
    .map(([name, field], slot) => ({ name, field, slot }))
    .filter(({ field }) => field.since <= version && version <= field.until);
  const chosen = present.map(({ field }) => formOf(field, forms));
  return {
    name: type.name,
    shape: shapeOf(type.code)!,
    slots: present.map(({ slot }) => slot),
    names: present.map(({ name }) => name),
    reads: chosen.map((form) => form.read),
    writes: chosen.map((form) => form.write),
  };
}

function formOf(field: Field<unknown>, forms: FieldForms): FieldForm {
  const { kind, of } = field;
  return kind === 'nested' || kind === 'cached' || kind === 'array' ? forms[kind](allowedCodes(of!)) : forms[kind];
}

/** Ids without cached parts. */
const RECURRING_IDS: ReadonlySet<keyof NestedTypes> = new Set(['ConnectionId', 'SessionId', 'ConsumerId', 'ProducerId', 'BrokerId']);

const allowed = new Map<keyof NestedTypes, AllowedCodes>();

/** The codes that stand for a type: its own and those of its subtypes. */
export function allowedCodes(name: keyof NestedTypes): AllowedCodes {
  const known = allowed.get(name);
  if (known !== undefined) return known;
  const codes = new Uint8Array(256);
  for (const code of codesOf(name)) codes[code] = 1;
  const result = { name: name === 'any' ? 'any structure' : `a ${name}`, codes, areRecurringIds: RECURRING_IDS.has(name) };
  allowed.set(name, result);
  return result;
}
