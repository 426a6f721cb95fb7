import { ConfigError } from '../../../errors.ts';
import { createWireFormatInfo } from './commands.ts';
import { modifiedUtf8Length } from './modified-utf8.ts';
import {
  BOOLEAN_VALUE,
  BYTES_VALUE,
  booleanValue,
  decodePrimitiveMap,
  encodePrimitiveMap,
  INT_VALUE,
  intValue,
  LIST_VALUE,
  LONG_VALUE,
  longValue,
  MAP_VALUE,
  type Primitive,
  type PrimitiveMap,
  STRING_VALUE,
  stringValue,
} from './primitive-map.ts';
import { WIRE_FORMAT_INFO, type WireFormatInfo } from './structures.ts';
import { VERSION_MAX, VERSION_MIN } from './type-table.ts';
import { CACHE_SIZE_DEFAULT } from './value-cache.ts';
import { malformed } from './wire-errors.ts';
import type { WireFormatSettings } from './wire-format.ts';

/*
 * The negotiation: each side sends what it can (its offer) in a WireFormatInfo, and both compute the same settings from the two.
 * OpenWire specification section 2.
 */

/** What one side can and wants. */
export interface WireFormatOffer {
  /** 1 to 12; a peer may offer more. */
  readonly version: number;
  readonly tightEncodingEnabled: boolean;
  readonly cacheEnabled: boolean;
  /** Slots of the value cache; 0 stands for 16,383. */
  readonly cacheSize: number;
  readonly stackTraceEnabled: boolean;
  readonly tcpNoDelayEnabled: boolean;
  /** Largest frame this side takes, in bytes; 0 when it does not say. */
  readonly maxFrameSizeBytes: number;
  /** A peer silent for longer is taken for dead; 0 switches the check off. */
  readonly maxInactivityDurationMs: number;
  /** How long after the negotiation the check begins. */
  readonly maxInactivityDurationInitialDelayMs: number;
  /** The host the client dialled. */
  readonly host: string | null;
  readonly providerName: string | null;
  readonly providerVersion: string | null;
  readonly platformDetails: string | null;
}

/** What a peer offers, with all of its properties, known to us or not. */
export interface PeerOffer extends WireFormatOffer {
  readonly properties: PrimitiveMap;
}

/** What both sides have agreed on. */
export interface NegotiatedSettings extends WireFormatSettings {
  readonly tcpNoDelayEnabled: boolean;
  /** 0: no check. */
  readonly maxInactivityDurationMs: number;
  readonly maxInactivityDurationInitialDelayMs: number;
}

/** Largest frame a connector of ActiveMQ's own configuration takes, in bytes. */
export const MAX_FRAME_SIZE_DEFAULT_BYTES = 104_857_600;

/** What to offer where nothing is configured: as ActiveMQ 5.17, but with a bound on frames. */
export const DEFAULT_OFFER: WireFormatOffer = {
  version: VERSION_MAX,
  tightEncodingEnabled: true,
  cacheEnabled: true,
  cacheSize: 1024,
  stackTraceEnabled: true,
  tcpNoDelayEnabled: true,
  maxFrameSizeBytes: MAX_FRAME_SIZE_DEFAULT_BYTES,
  maxInactivityDurationMs: 30_000,
  maxInactivityDurationInitialDelayMs: 10_000,
  host: null,
  providerName: 'Roundhouse',
  providerVersion: null,
  platformDetails: null,
};

/** A Java peer hangs with a cache of 1 to 99 slots: it keeps 100 free. OpenWire specification section 2. */
const CACHE_SIZE_MIN = 100;

/** Largest frame there can be, in bytes: its size is an i32. */
const FRAME_SIZE_MAX_BYTES = 2_147_483_647;

/** Most properties, and largest text or byte property in bytes, as recent ActiveMQ bounds them. OpenWire specification section 2. */
const PROPERTIES_MAX = 64;
const PROPERTY_MAX_BYTES = 512;

const MAGIC = 'ActiveMQ';

/** Where the type and the magic are in a frame, its size field counted. Section 2: the frame begins `size, type, magic`. */
const TYPE_AT = 4,
  MAGIC_AT = 5;

/** Whether the first bytes of a connection, `bytes[start, end)`, are those of a WireFormatInfo; `maybe`: more of them will show. */
export function sniffWireFormatInfo(bytes: Buffer, start: number, end: number): 'yes' | 'no' | 'maybe' {
  const available = end - start;
  // A frame that may come first is far smaller than 16 MB.
  if (available > 0 && bytes[start] !== 0) return 'no';
  if (available > TYPE_AT && bytes[start + TYPE_AT] !== WIRE_FORMAT_INFO) return 'no';
  const magic = bytes.toString('latin1', start + MAGIC_AT, Math.min(end, start + MAGIC_AT + MAGIC.length));
  if (!MAGIC.startsWith(magic)) return 'no';
  return available >= MAGIC_AT + MAGIC.length ? 'yes' : 'maybe';
}

/** Names on the wire; one is misspelled there. */
const TIGHT_ENCODING_ENABLED = 'TightEncodingEnabled';
const CACHE_ENABLED = 'CacheEnabled';
const CACHE_SIZE = 'CacheSize';
const STACK_TRACE_ENABLED = 'StackTraceEnabled';
const TCP_NO_DELAY_ENABLED = 'TcpNoDelayEnabled';
const SIZE_PREFIX_DISABLED = 'SizePrefixDisabled';
const MAX_FRAME_SIZE = 'MaxFrameSize';
const MAX_FRAME_SIZE_ENABLED = 'MaxFrameSizeEnabled';
const MAX_INACTIVITY_DURATION = 'MaxInactivityDuration';
const MAX_INACTIVITY_DURATION_INITIAL_DELAY = 'MaxInactivityDurationInitalDelay';
const HOST = 'Host';
const PROVIDER_NAME = 'ProviderName';
const PROVIDER_VERSION = 'ProviderVersion';
const PLATFORM_DETAILS = 'PlatformDetails';

/**
 * The command that makes our offer. `extra` are further properties, which a peer that does not know them ignores.
 *
 * @throws ConfigError for an offer that peers could not live with
 */
export function wireFormatInfoOf(offer: WireFormatOffer, extra: PrimitiveMap = new Map()): WireFormatInfo {
  checkOffer(offer);
  const properties = new Map<string, Primitive>([
    [TIGHT_ENCODING_ENABLED, booleanValue(offer.tightEncodingEnabled)],
    [CACHE_ENABLED, booleanValue(offer.cacheEnabled)],
    [CACHE_SIZE, intValue(offer.cacheSize)],
    [STACK_TRACE_ENABLED, booleanValue(offer.stackTraceEnabled)],
    [TCP_NO_DELAY_ENABLED, booleanValue(offer.tcpNoDelayEnabled)],
    [SIZE_PREFIX_DISABLED, booleanValue(false)],
    [MAX_FRAME_SIZE, longValue(offer.maxFrameSizeBytes)],
    [MAX_FRAME_SIZE_ENABLED, booleanValue(true)],
    [MAX_INACTIVITY_DURATION, longValue(offer.maxInactivityDurationMs)],
    [MAX_INACTIVITY_DURATION_INITIAL_DELAY, longValue(offer.maxInactivityDurationInitialDelayMs)],
    ...extra,
  ]);
  setText(properties, HOST, offer.host);
  setText(properties, PROVIDER_NAME, offer.providerName);
  setText(properties, PROVIDER_VERSION, offer.providerVersion);
  setText(properties, PLATFORM_DETAILS, offer.platformDetails);
  return createWireFormatInfo({ version: offer.version, marshalledProperties: encodePrimitiveMap(properties) });
}

/**
 * What the peer's WireFormatInfo says. A missing boolean is false, a missing number 0.
 *
 * @throws ProtocolError OPENWIRE_MALFORMED when it is none of ActiveMQ's kind, or a property has another type than ActiveMQ gives it
 */
export function readWireFormatInfo(info: WireFormatInfo): PeerOffer {
  const magic = info.magic.toString('latin1');
  if (magic !== MAGIC) throw malformed(`WireFormatInfo: the magic ${MAGIC} was expected, ${JSON.stringify(magic)} came`);
  if (info.version < VERSION_MIN) throw malformed(`WireFormatInfo: a version from ${VERSION_MIN} on was expected, ${info.version} came`);
  const properties = readProperties(info.marshalledProperties);
  return {
    version: info.version,
    tightEncodingEnabled: booleanOf(properties, TIGHT_ENCODING_ENABLED),
    cacheEnabled: booleanOf(properties, CACHE_ENABLED),
    cacheSize: notNegative(CACHE_SIZE, numberOf(properties, CACHE_SIZE, INT_VALUE)),
    stackTraceEnabled: booleanOf(properties, STACK_TRACE_ENABLED),
    tcpNoDelayEnabled: booleanOf(properties, TCP_NO_DELAY_ENABLED),
    maxFrameSizeBytes: numberOf(properties, MAX_FRAME_SIZE, LONG_VALUE),
    maxInactivityDurationMs: numberOf(properties, MAX_INACTIVITY_DURATION, LONG_VALUE),
    maxInactivityDurationInitialDelayMs: numberOf(properties, MAX_INACTIVITY_DURATION_INITIAL_DELAY, LONG_VALUE),
    host: textOf(properties, HOST),
    providerName: textOf(properties, PROVIDER_NAME),
    providerVersion: textOf(properties, PROVIDER_VERSION),
    platformDetails: textOf(properties, PLATFORM_DETAILS),
    properties,
  };
}

/** What both offers come to; the same on both sides. The size prefix stays on, since we never offer to leave it out. */
export function negotiate(ours: WireFormatOffer, theirs: WireFormatOffer): NegotiatedSettings {
  const cacheSize = Math.min(ours.cacheSize, theirs.cacheSize);
  return {
    version: Math.min(ours.version, theirs.version),
    tightEncodingEnabled: ours.tightEncodingEnabled && theirs.tightEncodingEnabled,
    cacheEnabled: ours.cacheEnabled && theirs.cacheEnabled,
    cacheSize: cacheSize === 0 ? CACHE_SIZE_DEFAULT : cacheSize,
    stackTraceEnabled: ours.stackTraceEnabled && theirs.stackTraceEnabled,
    tcpNoDelayEnabled: ours.tcpNoDelayEnabled && theirs.tcpNoDelayEnabled,
    maxFrameSizeBytes: smallerPositive(ours.maxFrameSizeBytes, theirs.maxFrameSizeBytes),
    maxInactivityDurationMs: Math.max(0, Math.min(ours.maxInactivityDurationMs, theirs.maxInactivityDurationMs)),
    maxInactivityDurationInitialDelayMs: Math.max(
      0,
      Math.min(ours.maxInactivityDurationInitialDelayMs, theirs.maxInactivityDurationInitialDelayMs),
    ),
  };
}

function smallerPositive(a: number, b: number): number {
  return Math.min(a > 0 ? a : FRAME_SIZE_MAX_BYTES, b > 0 ? b : FRAME_SIZE_MAX_BYTES, FRAME_SIZE_MAX_BYTES);
}

function checkOffer(offer: WireFormatOffer): void {
  const { version, cacheSize } = offer;
  if (version < VERSION_MIN || version > VERSION_MAX) {
    throw new ConfigError('OPENWIRE_OFFER', `OpenWire version ${version}: ${VERSION_MIN} to ${VERSION_MAX} can be offered`);
  }
  if (cacheSize !== 0 && (cacheSize < CACHE_SIZE_MIN || cacheSize > CACHE_SIZE_DEFAULT)) {
    const range = `0 or ${CACHE_SIZE_MIN} to ${CACHE_SIZE_DEFAULT}`;
    throw new ConfigError('OPENWIRE_OFFER', `OpenWire cacheSize ${cacheSize}: ${range} can be offered (Java peers hang with 1 to 99)`);
  }
}

function setText(properties: Map<string, Primitive>, name: string, text: string | null): void {
  if (text !== null) properties.set(name, stringValue(text));
}

function readProperties(bytes: Buffer | null): PrimitiveMap {
  const properties = (bytes === null ? null : decodePrimitiveMap(bytes)) ?? new Map<string, Primitive>();
  if (properties.size > PROPERTIES_MAX) {
    throw malformed(`WireFormatInfo: at most ${PROPERTIES_MAX} properties were expected, ${properties.size} came`);
  }
  for (const [name, { type, value }] of properties) {
    if (type === MAP_VALUE || type === LIST_VALUE)
      throw malformed(`WireFormatInfo: ${name}: a plain value was expected, a map or list came`);
    const size = type === STRING_VALUE ? modifiedUtf8Length(value) : type === BYTES_VALUE ? value.length : 0;
    if (size > PROPERTY_MAX_BYTES)
      throw malformed(`WireFormatInfo: ${name}: at most ${PROPERTY_MAX_BYTES} bytes were expected, ${size} came`);
  }
  return properties;
}

function booleanOf(properties: PrimitiveMap, name: string): boolean {
  const property = properties.get(name);
  if (property === undefined) return false;
  if (property.type !== BOOLEAN_VALUE) throw wrongType(name, 'a boolean', property);
  return property.value;
}

function numberOf(properties: PrimitiveMap, name: string, type: typeof INT_VALUE | typeof LONG_VALUE): number {
  const property = properties.get(name);
  if (property === undefined) return 0;
  if (property.type !== type) throw wrongType(name, type === INT_VALUE ? 'an int' : 'a long', property);
  return Number(property.value);
}

function textOf(properties: PrimitiveMap, name: string): string | null {
  const property = properties.get(name);
  if (property === undefined || property.value === null) return null;
  if (property.type !== STRING_VALUE) throw wrongType(name, 'a string', property);
  return property.value;
}

function notNegative(name: string, value: number): number {
  if (value < 0) throw malformed(`WireFormatInfo: ${name}: 0 or more was expected, ${value} came`);
  return value;
}

function wrongType(name: string, expected: string, property: Primitive): Error {
  return malformed(`WireFormatInfo: ${name}: ${expected} was expected, a value with tag ${property.type} came`);
}
