import { beanOf, booleanOf, numberOf } from './bean-values.ts';
import type { Bean } from './bind.ts';
import type { SystemUsageModel, UsageModel } from './model.ts';
import type { Reading } from './reading.ts';

const GB = 1024 ** 3;

const UNLIMITED: UsageModel = { limitBytes: null, percentOfJvmHeap: null, percentLimit: null };

/** What holds when a file has no `<systemUsage>` at all: 1 GB, 100 GB and 50 GB. */
export const DEFAULT_SYSTEM_USAGE: SystemUsageModel = {
  memoryUsage: { ...UNLIMITED, limitBytes: GB },
  storeUsage: { ...UNLIMITED, limitBytes: 100 * GB },
  tempUsage: { ...UNLIMITED, limitBytes: 50 * GB },
  sendFailIfNoSpace: false,
  sendFailIfNoSpaceAfterTimeoutMs: 0,
};

/** Names of the limits, and what is unlimited without one. */
const LIMITED = { memoryUsage: 'memory', storeUsage: 'the store', tempUsage: 'temporary files' } as const;

/** @param bean the inner `<systemUsage>`; undefined when the file has none */
export function readSystemUsage(bean: Bean | undefined, reading: Reading): SystemUsageModel {
  if (bean === undefined) return DEFAULT_SYSTEM_USAGE;
  return {
    memoryUsage: readUsage(bean, 'memoryUsage', reading),
    storeUsage: readUsage(bean, 'storeUsage', reading),
    tempUsage: readUsage(bean, 'tempUsage', reading),
    sendFailIfNoSpace: booleanOf(bean, 'sendFailIfNoSpace', false),
    sendFailIfNoSpaceAfterTimeoutMs: numberOf(bean, 'sendFailIfNoSpaceAfterTimeout', 0),
  };
}

function readUsage(systemUsage: Bean, name: keyof typeof LIMITED, reading: Reading): UsageModel {
  const bean = beanOf(systemUsage, name);
  if (bean === undefined) {
    const message = `<systemUsage> without <${name}> means no limit for ${LIMITED[name]}, as in ActiveMQ; add <${name}><${name} limit="..."/></${name}>`;
    reading.warn(systemUsage.place, name, message);
    return UNLIMITED;
  }
  const percentProperty = name === 'memoryUsage' ? 'percentOfJvmHeap' : 'percentLimit';
  const percent = readPercent(bean, percentProperty, reading);
  const limit = numberOf(bean, 'limit', 0);
  if (percent !== null && bean.values.has('limit')) {
    reading.warn(bean.values.get('limit')!.place, 'limit', `${percentProperty} is given too, and it is what counts, as in ActiveMQ`);
  }
  const total = numberOf(bean, 'total', 0);
  if (percent !== null && total > 0) return { ...UNLIMITED, limitBytes: Math.floor((total / 100) * percent) };
  if (percent !== null) return { ...UNLIMITED, [percentProperty]: percent };
  if (limit > 0) return { ...UNLIMITED, limitBytes: limit };
  const place = bean.values.get('limit')?.place ?? bean.place;
  const isReported = bean.failed.has('limit') || bean.failed.has(percentProperty) || (bean.values.get(percentProperty)?.value ?? 0) !== 0;
  if (!isReported) reading.warn(place, name, `<${name}> with no limit above 0 means no limit for ${LIMITED[name]}, as in ActiveMQ`);
  return UNLIMITED;
}

/** Percent from 1 to 100; null when it is not given, or 0 for "not by percent". */
function readPercent(bean: Bean, property: string, reading: Reading): number | null {
  const value = bean.values.get(property);
  if (value === undefined || value.value === 0) return null;
  if (typeof value.value === 'number' && value.value >= 1 && value.value <= 100) return value.value;
  reading.error(value.text.at(0), property, `${property}: expected a percentage from 0 to 100, found ${value.text.text.trim()}`);
  return null;
}
