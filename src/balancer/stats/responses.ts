/** What HAProxy 2.6 answers, byte for byte (recorded), where nothing of ours is in the answer. */

function html(title: string, text: string): string {
  return `<html><body><h1>${title}</h1>\n${text}\n</body></html>\n`;
}

/** Answers of the HTTP parser, whose headers HAProxy spells in its old way. They end the connection. */
function parserAnswer(status: string, text: string): Buffer {
  const body = html(status, text);
  return Buffer.from(
    `HTTP/1.1 ${status}\r\nContent-length: ${body.length}\r\nCache-Control: no-cache\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n${body}`,
  );
}

export const BAD_REQUEST = parserAnswer('400 Bad request', 'Your browser sent an invalid request.');
export const REQUEST_TIMEOUT = parserAnswer('408 Request Time-out', "Your browser didn't send a complete request in time.");

export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export function unavailable(): Answer {
  return htmlAnswer(503, 'Service Unavailable', html('503 Service Unavailable', 'No server is available to handle this request.'));
}

export function unauthorized(realm: string): Answer {
  const body = html('401 Unauthorized', 'You need a valid user and password to access this content.');
  const answer = htmlAnswer(401, 'Unauthorized', body);
  return { ...answer, headers: [...answer.headers, ['www-authenticate', `Basic realm="${realm.replaceAll(/["\\]/g, '\\$&')}"`]] };
}

/** What a POST gets where `stats admin` lets nobody do anything. */
export function denied(uri: string): Answer {
  const headers = [
    ['cache-control', 'no-cache'],
    ['content-type', 'text/plain'],
    ['content-length', '0'],
    ['location', `${uri};st=DENY`],
  ] as const;
  return { status: 303, reason: 'See Other', headers, body: '' };
}

function htmlAnswer(status: number, reason: string, body: string): Answer {
  const headers = [
    ['content-length', String(body.length)],
    ['cache-control', 'no-cache'],
    ['content-type', 'text/html'],
  ] as const;
  return { status, reason, headers, body };
}

/** @param close tells the client that this is the last answer */
export function serialise(answer: Answer, options: { close: boolean; headOnly: boolean }): Buffer {
  const headers = answer.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const connection = options.close ? 'connection: close\r\n' : '';
  return Buffer.from(`HTTP/1.1 ${answer.status} ${answer.reason}\r\n${headers}${connection}\r\n${options.headOnly ? '' : answer.body}`);
}
