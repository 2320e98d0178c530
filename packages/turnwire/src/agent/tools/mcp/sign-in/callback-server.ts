import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { orAbort } from '../../../base/abort.js';

/** The time that the user may take in the browser, in milliseconds. */
const signInMs = 300_000;

const page = (text: string): string =>
  `<!doctype html><meta charset="utf-8"><title>turnwire</title><p>${text}</p><p>You can close this page.</p>`;

/** Receives the redirect of a sign-in, on this machine only. */
export class CallbackServer {
  readonly port: number;
  readonly #server: Server;
  readonly #code: Promise<string>;
  #settle!: { resolve: (code: string) => void; reject: (reason: Error) => void };
  /** The `state` that the redirect must have. Until it is known, no redirect is accepted. */
  state: string | undefined;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.#code = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#code.catch(() => undefined);
    server.on('request', (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
      const answer = (status: number, text: string): void => {
        response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', connection: 'close' });
        response.end(page(text));
      };
      if (pathname !== '/callback') return answer(404, 'There is nothing here.');
      // Another web page may send the browser here too, but it does not know the state.
      if (this.state === undefined || searchParams.get('state') !== this.state)
        return answer(400, 'This is not the sign-in that turnwire waits for.');
      const code = searchParams.get('code');
      if (code !== null && code !== '') {
        answer(200, 'You are signed in.');
        return this.#settle.resolve(code);
      }
      const reason = searchParams.get('error_description') ?? searchParams.get('error') ?? 'no code came';
      answer(400, 'The sign-in has failed.');
      this.#settle.reject(new Error(`the sign-in was refused: ${reason.slice(0, 300)}`));
    });
  }

  /** @param port 0 for a free one. @throws Error if it cannot be listened on */
  static async open(port: number): Promise<CallbackServer> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new CallbackServer(server);
  }

  /** The code in the redirect. @throws Error if none comes in time, or the reason of the signal */
  async code(signal: AbortSignal): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`nobody signed in within ${signInMs / 60_000} minutes`)), signInMs);
    });
    try {
      return await orAbort(Promise.race([this.#code, late]), signal, 0);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#server.close();
    this.#server.closeIdleConnections();
  }
}
