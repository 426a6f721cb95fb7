import { decodeUtf8 } from '../bytes/utf8.ts';

/*
 * The messages of SCRAM, RFC 5802 section 7: text of attributes with commas between, `n,,n=user,r=nonce`.
 * A client's message that is none makes null; nothing here throws.
 */

/** Longest message of a client, in bytes: room for any name and nonce that somebody means, none for one that is to make us work. */
export const SCRAM_MESSAGE_BYTES_MAX = 4_096;

export interface ClientFirst {
  /** The client's wish for channel binding: `n` it cannot, `y` it could, `p` it insists. */
  readonly channelBinding: 'n' | 'y' | 'p';
  /** Whom the client wants to act as; empty: the user itself. */
  readonly authorizationName: string;
  readonly userName: string;
  readonly nonce: string;
  /** Up to the bare message: what the client must send again, encoded, in its last one. */
  readonly gs2Header: string;
  /** From the user name on: the first part of what is signed. */
  readonly bare: string;
}

export interface ClientFinal {
  /** The GS2 header again, decoded. */
  readonly channelBinding: Buffer;
  readonly nonce: string;
  readonly proof: Buffer;
  /** All but the proof: the last part of what is signed. */
  readonly withoutProof: string;
}

/** Extensions (`m=`) are not understood, and their message is then none. Attributes behind the nonce are for others to know. */
const CLIENT_FIRST = /^((?:([ny])|(p)=[A-Za-z0-9.-]+),(?:a=([^,]+))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,]+)*)$/u;
const CLIENT_FINAL = /^(c=([A-Za-z0-9+/]+={0,2}),r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,]+)*),p=([A-Za-z0-9+/]+={0,2})$/u;

export function parseClientFirst(data: Buffer): ClientFirst | null {
  const text = textOf(data);
  const match = text === null ? null : CLIENT_FIRST.exec(text);
  if (match === null) return null;
  const userName = unescapeName(match[6]!);
  const authorizationName = match[4] === undefined ? '' : unescapeName(match[4]);
  if (userName === null || authorizationName === null) return null;
  const channelBinding = (match[2] ?? match[3]) as 'n' | 'y' | 'p';
  return { channelBinding, authorizationName, userName, nonce: match[7]!, gs2Header: match[1]!, bare: match[5]! };
}

export function parseClientFinal(data: Buffer): ClientFinal | null {
  const text = textOf(data);
  const match = text === null ? null : CLIENT_FINAL.exec(text);
  if (match === null) return null;
  const channelBinding = decodeBase64(match[2]!);
  const proof = decodeBase64(match[4]!);
  if (channelBinding === null || proof === null) return null;
  return { channelBinding, nonce: match[3]!, proof, withoutProof: match[1]! };
}

/** `r=nonce,s=salt,i=iterations` */
export function formatServerFirst(nonce: string, salt: Buffer, iterations: number): string {
  return `r=${nonce},s=${salt.toString('base64')},i=${iterations}`;
}

/** `v=signature` */
export function formatServerFinal(signature: Buffer): string {
  return `v=${signature.toString('base64')}`;
}

/** null for bytes that are no UTF-8, have U+0000, or are too many. */
function textOf(data: Buffer): string | null {
  return data.length > SCRAM_MESSAGE_BYTES_MAX ? null : decodeUtf8(data, 0, data.length);
}

/** A saslname: `=2C` is a comma, `=3D` an equals sign, and no other `=` may be there. */
function unescapeName(text: string): string | null {
  if (/=(?!2C|3D)/.test(text)) return null;
  return text.replace(/=(2C|3D)/g, (_, code: string) => (code === '2C' ? ',' : '='));
}

/** null for what another encoder would not have written. */
function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}
