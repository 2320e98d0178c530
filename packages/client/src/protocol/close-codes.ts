/**
 * What the WebSocket close codes mean on this wire (P89–P95), in words for people. Without a terminal event a turn is lost whatever the
 * code says, 1000 included.
 */
const meanings: Readonly<Record<number, string>> = {
  1000: 'normal closure; before any event it is usually a rejection of the request',
  1001: 'the server is going away or its idle limit has passed',
  1002: 'protocol error',
  1003: 'unsupported data',
  1005: 'closed without a code',
  1006: 'the connection broke without a close frame',
  1007: 'invalid data',
  1008: 'refused by policy, or WebSocket mode is not enabled here',
  1009: 'message too large',
  1010: 'a required extension is missing',
  1011: 'the server failed, or it missed a pong',
  1012: 'the server restarts',
  1013: 'the server is overloaded',
  1015: 'TLS failed',
  4402: 'no credits left',
};

/** `1011, the server failed, or it missed a pong: keepalive ping timeout` */
export function describeClosure(code: number, reason: string): string {
  const meaning = meanings[code] ?? (code >= 4000 ? 'a code of the provider' : 'an unassigned code');
  return `${code}, ${meaning}${reason === '' ? '' : `: ${reason}`}`;
}

/** No close frame was read: the peer did not end the connection, it broke. */
export const abnormalClosure = 1006;

/** These say something of the network or of the server's state, and nothing of the request (P90, P91). */
export const transientClosures: ReadonlySet<number> = new Set([1001, 1005, 1006, 1011, 1012, 1013, 1015]);

/** By these a server refuses a request that it has not run: by policy, and because of its size (P92, P93). */
export const refusingClosures: ReadonlySet<number> = new Set([1008, 1009]);

/** Without any event, usually a rejection of the request, too (P89). */
export const normalClosure = 1000;
