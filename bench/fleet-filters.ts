/**
 * A fleet's subscriptions, for measuring how routing scales: what devices, their back ends and their dashboards ask for. The n-th one is
 * always the same, so that a thousand of them are the first thousand of a million.
 *
 *     of 100   filter                                            topic that it matches
 *         34   fleet/{region}/{device}/cmd/+                     fleet/eu-west/d001234/cmd/{any}
 *         20   sensors/+/{id}/#                                  sensors/{any}/001234/x/y
 *         14   state/{region}/{device}                           itself
 *         10   plant/{p}/line/{l}/cell/{c}/robot/{r}/+/axis/+    eight levels and more
 *         10   fleet/{region}/{device}/ota/#                     a second one of devices that have a first
 *          2   +/{region}/{device}/alarm                         a wildcard in front; in the first thousand, half of them are
 *              fleet/{region}/#                                  the same few dashboards whatever the size of the fleet
 *          8   broadcast/{channel}/+                             a hundred filters, each of many clients
 *          2   $share/workers/jobs/{queue}/#                     a hundred groups
 */

const REGIONS = ['eu-west', 'eu-north', 'us-east', 'us-west', 'ap-south', 'ap-east', 'sa-east', 'af-south'];

/** Channels and queues that many clients share. */
const COMMON = 100;

/** A topic that the n-th subscription receives. `any` stands where its filter has a wildcard. */
export function fleetTopic(n: number, any: number): string {
  return fleetFilter(n)
    .replace('$share/workers/', '')
    .replace('+/axis/+', `m${any & 7}/axis/${any >> 3}`)
    .replace('sensors/+', `sensors/t${any & 15}`)
    .replace('+', `t${any}`)
    .replace('#', `x/${any}`);
}

export function fleetFilter(n: number): string {
  const kind = n % 100;
  const region = REGIONS[n % 8]!;
  const device = `d${String(n).padStart(7, '0')}`;
  if (kind < 34) return `fleet/${region}/${device}/cmd/+`;
  if (kind < 54) return `sensors/+/${String(n).padStart(7, '0')}/#`;
  if (kind < 68) return `state/${region}/${device}`;
  if (kind < 78) return `plant/${n % 12}/line/${n % 48}/cell/${(n >> 6) & 255}/robot/${n}/+/axis/+`;
  if (kind < 88) {
    const first = n - kind + (kind - 78);
    return `fleet/${REGIONS[first % 8]}/d${String(first).padStart(7, '0')}/ota/#`;
  }
  if (kind === 89 && n < 1_000) return `fleet/${REGIONS[Math.floor(n / 100) % 8]}/#`;
  if (kind < 90) return `+/${region}/${device}/alarm`;
  const common = Math.floor(n / 100) % COMMON;
  if (kind < 98) return `broadcast/${common}/+`;
  return `$share/workers/jobs/${common}/#`;
}

/** Number of the client whose the n-th subscription is: spread so that no client has the same filter twice. */
export function fleetOwner(n: number, clients: number): number {
  const kind = n % 100;
  if (kind < 90) return n % clients;
  return (Math.floor(n / (100 * COMMON)) * 10 + (kind - 90)) % clients;
}

/** Whether the n-th subscription is nobody else's and has topics without end. */
export function takesNewTopics(n: number): boolean {
  const kind = n % 100;
  return kind < 54 || (kind >= 68 && kind < 88);
}
