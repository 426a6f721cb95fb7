/**
 * The topics of an imagined fleet, for measuring what many subscriptions cost:
 *
 *     fleet / r0 … r9 / s00 … s99 / d00000 … / telemetry/temp          what devices publish
 *     fleet/r3/s00/+/telemetry/#  and ninety-nine more             what the one who listens to region r3 subscribes to
 *
 * The subscriptions of the crowd stand beside what is published, on the same regions, sites and devices, and match none of
 * it: so a run with a thousand subscriptions and one with a million deliver the same messages to the same receivers. Each has topics of
 * its own, for measuring what it costs to find one among a million.
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

/** What a device, its back end or its dashboard asks for. */
interface Kind {
  filter(place: Place): string;
  /** A topic that this filter matches and no other one: another for each `any`. Null where there are not enough for that. */
  topic(place: Place, any: number): string | null;
}

const COMMAND: Kind = {
  filter: ({ region, site, device }) => `fleet/${region}/${site}/${device}/command`,
  topic: () => null,
};

const CONFIG: Kind = {
  filter: ({ region, site, device }) => `fleet/${region}/${site}/${device}/config/+`,
  topic: ({ region, site, device }, any) => `fleet/${region}/${site}/${device}/config/c${any}`,
};

const ALARM: Kind = {
  filter: ({ region, site, device }) => `fleet/${region}/${site}/${device}/alarm/#`,
  topic: ({ region, site, device }, any) => `fleet/${region}/${site}/${device}/alarm/a${any & 7}/${any >> 3}`,
};

const STATUS: Kind = {
  filter: ({ site, roamingDevice }) => `fleet/+/${site}/${roamingDevice}/status`,
  topic: () => null,
};

const READING: Kind = {
  filter: ({ region, site, device }) => `fleet/${region}/${site}/${device}/module/+/port/+/reading/#`,
  topic: ({ region, site, device }, any) => `fleet/${region}/${site}/${device}/module/m${any & 7}/port/p${any & 3}/reading/${any >> 3}`,
};

/** Kinds of the crowd's filters, in turn: half name one topic, half have wildcards. */
const KINDS: readonly Kind[] = [
  ...new Array<Kind>(10).fill(COMMAND),
  ...new Array<Kind>(4).fill(CONFIG),
  ...new Array<Kind>(3).fill(ALARM),
  ...new Array<Kind>(2).fill(STATUS),
  READING,
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
  return Array.from({ length: count }, (_, index) => kindOf(index).filter(placeOf(client, count, index)));
}

/** A topic that one of a client's `count` filters matches and no other one: another for each `any`. Null for filters that have too few. */
export function crowdTopic(client: number, count: number, index: number, any: number): string | null {
  return kindOf(index).topic(placeOf(client, count, index), any);
}

function kindOf(index: number): Kind {
  return KINDS[index % KINDS.length]!;
}

function placeOf(client: number, count: number, index: number): Place {
  const region = client % FLEET_REGIONS;
  const device = count * Math.floor(client / (FLEET_REGIONS * SITES)) + index;
  return {
    region: regionName(region),
    site: siteName(Math.floor(client / FLEET_REGIONS) % SITES),
    device: deviceName(device),
    roamingDevice: deviceName(device * FLEET_REGIONS + region),
  };
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
