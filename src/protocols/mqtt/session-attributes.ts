import type { QoS } from '../../core/message.ts';
import type { Subscription } from '../../core/subscription.ts';
import type { Will } from './will.ts';

/**
 * What the store keeps of a session beside its messages, by name.
 *
 *     expiry           seconds that it lives without a connection (4 bytes)
 *     away             wall clock in milliseconds since which it has none, and the sequence below which messages may have been sent
 *                      (8 bytes each, floats); not there while it has one
 *     will             of the present connection, or one whose delay is running: JSON, bytes in Base64
 *     s:<filter>       options of the subscription (1 byte) and its identifier (4 bytes)
 */
export const EXPIRY = 'expiry';
export const ABSENCE = 'away';
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

/** A session without a connection. */
export interface Absence {
  /** Wall clock in milliseconds. */
  readonly since: number;
  /** Sequence of the first message that has not been sent; those before may have been. */
  readonly sentBefore: number;
}

export function encodeAbsence({ since, sentBefore }: Absence): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeDoubleBE(since);
  bytes.writeDoubleBE(sentBefore, 8);
  return bytes;
}

/** null where it has one, or had one when the broker died. */
export function decodeAbsence(bytes: Buffer | undefined): Absence | null {
  return bytes === undefined ? null : { since: bytes.readDoubleBE(0), sentBefore: bytes.readDoubleBE(8) };
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
