/**
 * The topics of an imagined fleet, for measuring what many subscriptions cost:
 *
 *     fleet / r0 … r9 / s00 … s99 / d00000 … / telemetry/temp          what devices publish
 *     fleet/r3/s00/+/telemetry/#  and ninety-nine more             what the one who listens to region r3 subscribes to
 *
 * The subscriptions of the crowd stand beside what is published, on the same regions, sites and devices, and match none of
 * it: so a run with a thousand subscriptions and one with a million deliver the same messages to the same receivers.
 */

/** Regions: as many publishers may share the fleet. */
export const FLEET_REGIONS = 10;

/** Sites of each region. */
const SITES = 100;

interface Place {
  readonly region: string;
  readonly site: string;
  readonly device: string;
  /** A device that no other region has: filters with `+` in the region's place must still differ. */
  readonly roamingDevice: string;
}

/** Crowd filters of each kind among twenty: half name one topic, half have wildcards. */
const KINDS: readonly ((place: Place) => string)[] = [
  ...repeat(10, ({ region, site, device }) => `fleet/${region}/${site}/${device}/command`),
  ...repeat(4, ({ region, site, device }) => `fleet/${region}/${site}/${device}/config/+`),
  ...repeat(3, ({ region, site, device }) => `fleet/${region}/${site}/${device}/alarm/#`),
  ...repeat(2, ({ site, roamingDevice }) => `fleet/+/${site}/${roamingDevice}/status`),
  ...repeat(1, ({ region, site, device }) => `fleet/${region}/${site}/${device}/module/+/port/+/reading/#`),
];

/** The topics of the first `count` devices of a region, one each, spread over all sites. All have the same length. */
export function fleetTopics(region: number, count: number): string[] {
  return Array.from(
    { length: count },
    (_, index) => `fleet/${regionName(region)}/${siteName(index % SITES)}/${deviceName(Math.floor(index / SITES))}/telemetry/temp`,
  );
}

/** A hundred filters, one a site, that together match each topic of the region's devices once. */
export function fleetFilters(region: number): string[] {
  return Array.from({ length: SITES }, (_, site) => `fleet/${regionName(region)}/${siteName(site)}/+/telemetry/#`);
}

/** The filters of one client of the crowd: different from each other and from every other client's, up to `count` of each. */
export function crowdFilters(client: number, count: number): string[] {
  const region = client % FLEET_REGIONS;
  const site = Math.floor(client / FLEET_REGIONS) % SITES;
  const firstDevice = count * Math.floor(client / (FLEET_REGIONS * SITES));
  return Array.from({ length: count }, (_, index) => {
    const device = firstDevice + index;
    return KINDS[index % KINDS.length]!({
      region: regionName(region),
      site: siteName(site),
      device: deviceName(device),
      roamingDevice: deviceName(device * FLEET_REGIONS + region),
    });
  });
}

function regionName(region: number): string {
  return `r${region}`;
}

function siteName(site: number): string {
  return `s${String(site).padStart(2, '0')}`;
}

function deviceName(device: number): string {
  return `d${String(device).padStart(5, '0')}`;
}

function repeat(times: number, kind: (place: Place) => string): ((place: Place) => string)[] {
  return Array.from({ length: times }, () => kind);
}
