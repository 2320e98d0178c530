import { TurnwireError } from '../protocol/errors.js';
import { Opening } from '../websocket/opening.js';
import { dialFailure, flat, readBody, statusFailure } from './failure.js';
import { httpRequest, httpsRequest } from './node-http.js';
import { Socket } from './socket.js';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import type { Socket as NetSocket } from 'node:net';
import type { Clock } from '../clock.js';
import type { DialOptions } from './agent.js';
import type { Network } from './network.js';
import type { SocketListener } from './socket.js';

/**
 * Dials and upgrades, within `dialMs`.
 *
 * Not done, on purpose: no redirects (P8: they would carry the key elsewhere), nothing is sent before the upgrade is answered (E4).
 *
 * @throws TurnwireError `dial_failed`, `dial_timeout`, `proxy_failed`, `upgrade_refused`, `credential_failed`; or what `signal` was aborted with.
 */
export async function openSocket(
  network: Network,
  listener: SocketListener,
  { dialMs, clock, signal }: { dialMs: number; clock: Clock; signal: AbortSignal },
): Promise<Socket> {
  const headers = await network.handshake(signal);
  signal.throwIfAborted();
  const { endpoint, route } = network;
  const identity = network.identityOf(headers);
  const opening = new Opening();
  const dialling = new AbortController();
  return new Promise((resolve, reject) => {
    const options: RequestOptions & DialOptions = {
      agent: network.singleUseAgent,
      abandoned: dialling.signal,
      headers: { ...headers, ...opening.headers },
    };
    const request: ClientRequest = (endpoint.secure ? httpsRequest : httpRequest)(endpoint.url, options);
    let settled = false;
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      return true;
    };
    const giveUp = (reason: unknown): void => {
      if (!settle()) return;
      reject(reason);
      dialling.abort(reason);
      request.destroy();
    };
    const timer = clock.after(dialMs, () =>
      giveUp(
        new TurnwireError(
          'dial_timeout',
          `${route} did not answer the WebSocket upgrade within ${dialMs} ms (timeouts.dialMs)`,
          { retryable: true },
        ),
      ),
    );
    const onAbort = (): void => giveUp(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });

    request.once('upgrade', (answer: IncomingMessage, raw: NetSocket, head: Buffer) => {
      const problem = opening.problemOf(answer.headers);
      if (problem !== undefined) giveUp(dialFailure(route, new Error(problem)));
      // Nobody waits for it any more.
      if (!settle()) {
        raw.on('error', () => {}).destroy();
        return;
      }
      if (head.length > 0) raw.unshift(head);
      const { 'set-cookie': _, ...welcome } = flat(answer.headers);
      resolve(new Socket(raw, { identity, welcome }, listener, clock));
    });
    request.once('response', (answer: IncomingMessage) => {
      timer.cancel();
      void readBody(answer, clock).then((body) =>
        giveUp(
          statusFailure(
            'upgrade_refused',
            endpoint.origin,
            { status: answer.statusCode ?? 0, headers: answer.headers, body, identity: headers },
            'queued',
          ),
        ),
      );
    });
    // Stays for the whole life of the request: a late error that nobody listens to would end the process (I5, I6).
    request.on('error', (error) => giveUp(dialFailure(route, error)));
    request.end();
  });
}
