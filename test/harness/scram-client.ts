import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

/** The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), written from the RFCs alone: nothing of the code under test is used. */
export class ScramClient {
  readonly #password: string;
  readonly #header: string;
  readonly #bare: string;
  #authMessage = '';
  #salted = Buffer.alloc(0);

  constructor(userName: string, password: string, nonce = 'fyko+d2lbbFgONRv9qkxdawL', header = 'n,,') {
    this.#password = password;
    this.#header = header;
    this.#bare = `n=${userName.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
  }

  get first(): Buffer {
    return Buffer.from(this.#header + this.#bare);
  }

  /** The answer to the server's first message. */
  final(serverFirst: Buffer): Buffer {
    const said = serverFirst.toString();
    const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(said)!;
    this.#salted = pbkdf2Sync(this.#password, Buffer.from(salt!, 'base64'), Number(iterations), 32, 'sha256');
    const withoutProof = `c=${Buffer.from(this.#header).toString('base64')},r=${nonce}`;
    this.#authMessage = `${this.#bare},${said},${withoutProof}`;
    const clientKey = mac(this.#salted, 'Client Key');
    const signature = mac(createHash('sha256').update(clientKey).digest(), this.#authMessage);
    const proof = clientKey.map((byte, i) => byte ^ signature[i]!);
    return Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`);
  }

  /** What only a server that knows the user can say last. */
  get expectedServerFinal(): Buffer {
    return Buffer.from(`v=${mac(mac(this.#salted, 'Server Key'), this.#authMessage).toString('base64')}`);
  }
}

function mac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
