import type { QoS } from '../../core/message.ts';
import type { Subscription } from '../../core/subscription.ts';
import type { Will } from './will.ts';

/**
 * What the store keeps of a session beside its messages, by name.
 *
 *     expiry           seconds that it lives without a connection (4 bytes)
 *     away             wall clock in milliseconds since which it has none (8 bytes, a float); not there while it has one
 *     will             of the present connection, or one whose delay is running: JSON, bytes in Base64
 *     s:<filter>       options of the subscription (1 byte) and its identifier (4 bytes)
 */
export const EXPIRY = 'expiry';
export const AWAY_SINCE = 'away';
export const WILL = 'will';
export const SUBSCRIPTION = 's:';

export function encodeExpiry(seconds: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(seconds);
  return bytes;
}

/** 0 where there is none. */
export function decodeExpiry(bytes: Buffer | undefined): number {
  return bytes === undefined ? 0 : bytes.readUInt32BE(0);
}

export function encodeMoment(wallMs: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(wallMs);
  return bytes;
}

export function decodeMoment(bytes: Buffer | undefined, absent: number): number {
  return bytes === undefined ? absent : bytes.readDoubleBE(0);
}

export function encodeSubscription({ qos, noLocal, retainAsPublished, identifier }: Subscription): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0);
  bytes.writeUInt32BE(identifier, 1);
  return bytes;
}

export function decodeSubscription(bytes: Buffer): { qos: QoS; noLocal: boolean; retainAsPublished: boolean; identifier: number } {
  const options = bytes[0]!;
  return {
    qos: (options & 3) as QoS,
    noLocal: (options & 4) !== 0,
    retainAsPublished: (options & 8) !== 0,
    identifier: bytes.readUInt32BE(1),
  };
}

export function encodeWill(will: Will): Buffer {
  const { payload, properties } = will;
  const correlationData = properties?.correlationData?.toString('base64') ?? null;
  return Buffer.from(
    JSON.stringify({
      ...will,
      payload: payload.toString('base64'),
      properties: properties === null ? null : { ...properties, correlationData },
    }),
  );
}

/** null where there is none. */
export function decodeWill(bytes: Buffer | undefined): Will | null {
  if (bytes === undefined) return null;
  const { payload, properties, ...rest } = JSON.parse(bytes.toString());
  return {
    ...rest,
    payload: Buffer.from(payload, 'base64'),
    properties:
      properties === null
        ? null
        : {
            ...properties,
            correlationData: properties.correlationData === null ? null : Buffer.from(properties.correlationData, 'base64'),
          },
  };
}
