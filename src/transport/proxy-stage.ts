import { type BlockList, isIPv6 } from 'node:net';
import { formatEndpoint } from './endpoint.ts';
import { beginsProxyHeader, type ProxyHeader, ProxyHeaderError, readProxyHeader } from './proxy-protocol.ts';
import { readHead } from './read-head.ts';
import type { Arrival, Stage, StageOutcome } from './stage.ts';

/**
 * Whether connections begin with a PROXY header.
 *
 * - `required` each one does, and comes from a trusted source.
 * - `optional` those from trusted sources may.
 */
export type ProxyProtocolMode = 'required' | 'optional';

/** How many first bytes a message shows, enough to recognise HTTP, TLS or MQTT by. */
const SHOWN_BYTES = 8;

/**
 * The stage that reads a PROXY header: what follows has the address, and the verified certificate, of the proxy's client.
 *
 * Whoever may send a header may claim to be anybody. So a header from a source that is not trusted is never believed: its connection is
 * closed, and so is each connection of such a source where a header is required.
 *
 * @param trusted sources whose headers are believed; a unix socket's peer is whom its file lets in, and always is
 */
export function createProxyStage(mode: ProxyProtocolMode, trusted: BlockList): Stage {
  return {
    name: 'PROXY',
    begin(arrival, outcome) {
      const source = arrival.socket.remoteAddress;
      const isTrusted = source === undefined || trusted.check(source, isIPv6(source) ? 'ipv6' : 'ipv4');
      if (mode === 'required' && !isTrusted) {
        refuse(arrival, outcome, `${source} is not a trusted source, and a PROXY header from one is required`);
        return;
      }
      readHead(arrival, (bytes) => {
        if (!isTrusted) return passUntrusted(arrival, outcome, bytes);
        try {
          return takeHeader(arrival, outcome, bytes, mode);
        } catch (error) {
          if (!(error instanceof ProxyHeaderError)) throw error;
          refuse(arrival, outcome, error.message);
          return true;
        }
      });
    },
  };
}

/** @returns whether it is decided */
function takeHeader(arrival: Arrival, outcome: StageOutcome, bytes: Buffer, mode: ProxyProtocolMode): boolean {
  const header = readProxyHeader(bytes, 0, bytes.length);
  if (header === 'incomplete') return false;
  if (header !== 'absent') outcome.done(withHeader(arrival, header, bytes));
  else if (mode === 'optional') outcome.done({ ...arrival, head: bytes });
  else refuse(arrival, outcome, `a PROXY header was expected, the first bytes are ${bytes.toString('hex', 0, SHOWN_BYTES)}`);
  return true;
}

/** @returns whether it is decided */
function passUntrusted(arrival: Arrival, outcome: StageOutcome, bytes: Buffer): boolean {
  const begins = beginsProxyHeader(bytes, 0, bytes.length);
  if (begins === 'maybe') return false;
  if (begins === 'no') outcome.done({ ...arrival, head: bytes });
  else refuse(arrival, outcome, `a PROXY header from ${arrival.socket.remoteAddress}, which is not a trusted source`);
  return true;
}

function withHeader(arrival: Arrival, { source, authority, tls, size }: ProxyHeader, bytes: Buffer): Arrival {
  const commonName = tls?.verified === true ? tls.commonName : null;
  return {
    ...arrival,
    head: bytes.subarray(size),
    remoteAddress: source === null ? arrival.remoteAddress : formatEndpoint(source),
    serverName: authority,
    peerCertificate: commonName === null ? null : { commonName, subject: null },
  };
}

function refuse({ socket }: Arrival, outcome: StageOutcome, reason: string): void {
  outcome.failed(reason);
  socket.destroy();
}
