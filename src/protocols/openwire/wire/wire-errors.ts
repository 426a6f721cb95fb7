import { CodedError, ProtocolError } from '../../../errors.ts';

/** OpenWire has no reason codes on the wire; a broken frame ends the connection. */
const NO_REASON_CODE = 0;

/** The peer's bytes break the protocol: the connection cannot go on. */
export function malformed(message: string): ProtocolError {
  return new ProtocolError('OPENWIRE_MALFORMED', message, NO_REASON_CODE, 'peer');
}

/** A value of ours has no form on the wire (a string too long, a type the negotiated version lacks). Nothing was sent. */
export function unencodable(message: string): CodedError {
  return new CodedError('OPENWIRE_UNENCODABLE', message, 'internal');
}
