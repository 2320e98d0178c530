import { maxHeadBytes } from '../base/bounds.js';
import { onAbort } from '../base/abort.js';
import { startDeadline } from '../base/clock.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { encodeRequestHead, originForm } from '../http/head.js';
import { ClientHandshake } from '../websocket/client-handshake.js';
import { readErrorBody } from './post/error-body.js';
import { dialFailure, statusFailure } from './failure.js';
import { userAgent } from './identity-headers.js';
import { readHead } from './connect/read-head.js';
import { ClientWebSocket } from './client-websocket.js';
import type { Socket as NetSocket } from 'node:net';
import type { Clock } from '../base/clock.js';
import type { Network } from './network.js';
import type { WebSocketListener } from './client-websocket.js';

/**
 * Opens a WebSocket: connects by way of the proxy and TLS of `network`, and upgrades, within `dialMs`. It is one of the two doors of this folder;
 * the other is `sendPost`.
 *
 * The upgrade is this client's own, and not a library's: it has no dependency, and a refusal is read whole, with its status, headers and body.
 *
 * Not done on purpose: a redirect is not followed (P8: the key would travel elsewhere), and nothing is sent before the server has answered (E4).
 *
 * @throws TurnwireError `dial_failed`, `dial_timeout`, `proxy_failed`, `upgrade_refused`, `credential_failed`; or what `signal` was aborted with.
 */
export async function openWebSocket(
  network: Network,
  listener: WebSocketListener,
  { dialMs, clock, signal }: { dialMs: number; clock: Clock; signal: AbortSignal },
): Promise<ClientWebSocket> {
  const headers = await network.identityHeaders(signal);
  signal.throwIfAborted();
  const { endpoint, route } = network;
  const dialling = new AbortController();
  let raw: NetSocket | undefined;
  const giveUp = (reason: unknown): void => {
    dialling.abort(reason);
    raw?.destroy();
  };
  const release = onAbort(signal, giveUp);
  const timer = startDeadline(clock, dialMs, () =>
    giveUp(
      new TurnwireError(
        'dial_timeout',
        `${route} did not answer the WebSocket upgrade within ${dialMs} ms (timeouts.dialMs)`,
      ),
    ),
  );
  try {
    raw = await network.connect(dialling.signal);
    const handshake = new ClientHandshake();
    const upgrade = { host: endpoint.url.host, 'user-agent': userAgent, ...headers, ...handshake.headers };
    raw.write(encodeRequestHead('GET', originForm(endpoint.url), upgrade), 'latin1');
    let head = await readHead(raw, 'the upgrade', maxHeadBytes);
    while (head.status < 200 && head.status !== 101) head = await readHead(raw, 'the upgrade', maxHeadBytes);
    if (head.status !== 101) {
      timer.cancel();
      const body = await readErrorBody(raw, head, clock);
      throw statusFailure('upgrade_refused', endpoint.origin, { ...head, body, secrets: network.secrets }, 'queued');
    }
    const problem = handshake.problemOf(head.headers);
    if (problem !== undefined) throw new Error(problem);
    const { 'set-cookie': _, ...upgradeHeaders } = head.headers;
    return new ClientWebSocket(
      raw,
      { identity: network.identityOf(headers), secrets: network.secrets, upgradeHeaders },
      listener,
      clock,
    );
  } catch (error) {
    raw?.destroy();
    dialling.signal.throwIfAborted();
    throw dialFailure(route, error);
  } finally {
    timer.cancel();
    release();
  }
}
