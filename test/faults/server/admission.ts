// Answers of a server to an upgrade: each of these is a `Script.upgrade`.
import { createHash } from 'node:crypto';
import type { Head, Peer } from './peer.js';

type Upgrade = (peer: Peer, head: Head) => void;

/** The connection is taken, and the upgrade never answered (A6). */
export function acceptSilent(): void {}

export interface Refusal {
  body?: string | Buffer;
  headers?: Record<string, string>;
  /** One byte of the answer each so many milliseconds. @default at once */
  dripMs?: number;
}

export function refuse(status: number, { body = '', headers = {}, dripMs }: Refusal = {}): Upgrade {
  return (peer) => {
    if (dripMs === undefined) return peer.http(status, body, headers);
    peer.drip(peer.httpBytes(status, body, headers), dripMs);
  };
}

export type Bad101 = 'accept' | 'upgrade' | 'subprotocol' | 'extension' | 'window bits' | 'unfinished';

/** A 101 that a client must not take for one (A12); the name says what is wrong with it. */
export function bad101(kind: Bad101): Upgrade {
  return (peer, head) => {
    const proof = createHash('sha1')
      .update(`${head.headers['sec-websocket-key'] ?? ''}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    const lines: Record<string, string> = {
      upgrade: 'Upgrade: websocket',
      connection: 'Connection: Upgrade',
      accept: `Sec-WebSocket-Accept: ${kind === 'accept' ? 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' : proof}`,
    };
    if (kind === 'upgrade') delete lines['upgrade'];
    if (kind === 'subprotocol') lines['more'] = 'Sec-WebSocket-Protocol: unasked';
    if (kind === 'extension') lines['more'] = 'Sec-WebSocket-Extensions: permessage-deflate';
    if (kind === 'window bits')
      lines['more'] = 'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99';
    const end = kind === 'unfinished' ? '' : '\r\n';
    peer.raw(`HTTP/1.1 101 Switching Protocols\r\n${Object.values(lines).join('\r\n')}\r\n${end}`);
  };
}

/** Takes at most `count` upgrades within `perMs`, and answers the others as an edge does that slows down dials (A4): 403 and a page. */
export function dialLimit(count: number, perMs: number): Upgrade {
  const taken: number[] = [];
  return (peer) => {
    const now = performance.now();
    while (taken[0] !== undefined && now - taken[0] > perMs) taken.shift();
    if (taken.length >= count) return peer.http(403, '<h1>Forbidden</h1>', { 'content-type': 'text/html' });
    taken.push(now);
    peer.accept();
  };
}

/** Takes at most `most` live sockets; the others get 429. */
export function socketLimit(most: number): Upgrade {
  let live = 0;
  return (peer) => {
    if (live >= most) return peer.http(429, '{"error":{"code":"too_many_sockets","message":"no"}}');
    live += 1;
    void peer.ended.then(() => (live -= 1));
    peer.accept();
  };
}
