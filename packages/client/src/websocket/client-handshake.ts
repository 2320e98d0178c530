import { hash, randomBytes } from 'node:crypto';

/** The opening handshake of one connection (RFC 6455, 4.1 and 4.2.2). */
export class ClientHandshake {
  readonly #key: string;

  /** @param nonce 16 bytes; random by default. */
  constructor(nonce: Uint8Array = randomBytes(16)) {
    this.#key = Buffer.from(nonce).toString('base64');
  }

  /** The headers of the request. No subprotocol and no extension is offered (P5, P7). */
  get headers(): Record<string, string> {
    return {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': this.#key,
    };
  }

  /** Why the 101 response opens no WebSocket, as a sentence; undefined if it does. */
  problemOf(answer: Readonly<Record<string, string>>): string | undefined {
    if (answer.upgrade?.toLowerCase() !== 'websocket') return 'its 101 is no upgrade to a WebSocket';
    if (answer['sec-websocket-accept'] !== hash('sha1', this.#key + guid, 'base64'))
      return 'its 101 does not fit the request: Sec-WebSocket-Accept is wrong';
    if (answer['sec-websocket-protocol'] !== undefined) return 'it chose a subprotocol, and none was offered';
    if (answer['sec-websocket-extensions'] !== undefined) return 'it chose an extension, and none was offered';
    return undefined;
  }
}

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
