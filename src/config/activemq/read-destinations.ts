import type { Bean, BoundValue } from './bind.ts';
import type { DestinationModel } from './model.ts';
import type { Reading } from './reading.ts';
import { slice, split, trimmed } from './source-text.ts';

type Kind = DestinationModel['kind'];

/** Prefixes that a name may carry, and the kind they say. */
const PREFIXES: readonly { readonly prefix: string; readonly kind: Kind }[] = [
  { prefix: 'queue://', kind: 'queue' },
  { prefix: 'topic://', kind: 'topic' },
  { prefix: 'temp-queue://', kind: 'tempQueue' },
  { prefix: 'temp-topic://', kind: 'tempTopic' },
];

/** `<queue physicalName="..."/>`, `<topic .../>` and their temporary kin. */
export function readDestinations(beans: readonly Bean[], reading: Reading): DestinationModel[] {
  return beans.flatMap((bean) => {
    const name = bean.values.get('physicalName');
    if (name !== undefined) return readNames(name, bean.name as Kind, reading);
    reading.error(bean.place, bean.name, `<${bean.name}> needs a physicalName`);
    return [];
  });
}

/**
 * The destinations that an entry is for: by `queue`, `topic`, `tempQueue`, `tempTopic` or `destination`; several when
 * the name is a list with commas.
 */
export function readEntryDestinations(bean: Bean, reading: Reading): DestinationModel[] {
  const ways: DestinationModel[][] = [];
  for (const kind of ['queue', 'topic'] as const) {
    const value = bean.values.get(kind);
    if (value !== undefined) ways.push(readNames(value, kind, reading));
  }
  for (const kind of ['tempQueue', 'tempTopic'] as const) {
    if (bean.values.get(kind)?.value === true) ways.push([{ kind, physicalName: '>' }]);
  }
  const nested = bean.beans.get('destination')?.items;
  if (nested !== undefined) ways.push(readDestinations(nested, reading));
  if (ways.length > 1) reading.error(bean.place, bean.name, `<${bean.name}> is for one destination: give queue or topic, not both`);
  return ways[0] ?? [];
}

function readNames(value: BoundValue, kind: Kind, reading: Reading): DestinationModel[] {
  const destinations: DestinationModel[] = [];
  for (const written of split(value.text, ',')) {
    const prefixed = PREFIXES.find(({ prefix }) => written.text.startsWith(prefix));
    if (prefixed !== undefined && prefixed.kind !== kind) {
      reading.error(written.at(0), value.name, `"${written.text}" is a ${prefixed.kind}, expected a ${kind}`);
      continue;
    }
    const named = prefixed === undefined ? written : slice(written, prefixed.prefix.length);
    const question = named.text.indexOf('?');
    if (question >= 0) {
      reading.warn(named.at(question), value.name, 'options behind a destination name have no effect here');
    }
    const name = question < 0 ? named : trimmed(slice(named, 0, question));
    if (name.text === '') {
      reading.error(written.at(0), value.name, `${value.name}: a destination needs a name`);
      continue;
    }
    const wildcard = name.text.search(/>(?!$)/);
    if (wildcard >= 0) {
      const message = '">" means this level and all below it, at the end of a name only; "*" stands for one level';
      reading.warn(name.at(wildcard), value.name, message);
    }
    destinations.push({ kind, physicalName: name.text });
  }
  return destinations;
}
