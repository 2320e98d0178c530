import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { EmulatorError } from '../base/errors.js';
import { optionProblem } from '../base/option-problem.js';
import { setImmediate } from '../base/timers.js';
import { Access, accessFields, guard } from '../listener/access.js';
import type { AccessOptions } from '../listener/options.js';
import { canonicalHost, reachableHost } from '../listener/host.js';
import { createHttpServer } from '../listener/http-server.js';
import { portOf } from '../listener/port.js';
import { endWithRefusal } from '../listener/end-with-refusal.js';
import { Refusal } from '../wire/refusal.js';
import { relayHttp } from './http-relay.js';
import { Redaction } from './redaction.js';
import { RecordingWriter } from './recording-writer.js';
import { shortestSecret } from './spellings.js';
import { upstreamsOf } from './upstream.js';
import { relayWebSocket } from './websocket-relay.js';

export interface RecorderOptions extends AccessOptions {
  /**
   * The base URL to which all requests are passed, such as `https://api.openai.com/v1`; or several base URLs by names. Each of several is
   * served at an address of its own (`urlOf`), and its exchanges have its name in the file.
   */
  readonly upstream: string | Readonly<Record<string, string>>;
  /** The path of the recording, a file that must not exist yet. Only the owner of the file can read it. */
  readonly file: string;
  /** Secrets of 8 characters or more that are never written, wherever they appear, for secrets that are in no header. @default none */
  readonly secrets?: readonly string[] | undefined;
  /** The port to listen on; 0 takes any free port. @default 0 */
  readonly port?: number | undefined;
  /** The address to listen on. Every program that can reach this address can reach the upstream. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /**
   * Called with a sentence about a body that was passed on but is not in the recording: one above 64 MiB, or one that could not be decoded.
   * @default none
   */
  readonly onLeftOut?: ((message: string) => void) | undefined;
}

const optionsSchema = z.strictObject({
  upstream: z.union([z.string(), z.record(z.string(), z.string())], 'expected a base URL, or several by their names'),
  file: z.string().min(1),
  secrets: z.array(z.string().min(shortestSecret, `expected ${shortestSecret} characters or more`)).default([]),
  port: z.int().min(0).max(65_535).default(0),
  host: z.string().min(1).default('127.0.0.1'),
  onLeftOut: z
    .custom<(message: string) => void>((value) => typeof value === 'function', 'expected a function')
    .optional(),
  ...accessFields,
});

/** A running recorder. */
export interface Recorder extends AsyncDisposable {
  /** `http://HOST:PORT/v1`, which a client uses in place of the upstream's base URL. Of several upstreams, the address of the first. */
  readonly url: string;
  /** The address of the upstream with this name. @throws EmulatorError if there is none */
  urlOf(name: string): string;
  readonly port: number;
  /** Ends all connections and closes the file. Rejects if a part of the recording could not be written. May be called again. */
  close(): Promise<void>;
}

/** See `start.ts`. */
export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const checked = optionsSchema.safeParse(options);
  if (!checked.success)
    throw new EmulatorError('invalid_option', optionProblem('recorder', optionsSchema, checked.error, options));
  const { upstream, file, secrets, port, host, onLeftOut, ...accessOptions } = checked.data;
  const upstreams = upstreamsOf(upstream);
  const [first] = upstreams;
  const writer = new RecordingWriter(
    file,
    first?.name === undefined
      ? { upstream: first?.url ?? '' }
      : { upstreams: Object.fromEntries(upstreams.map(({ name = '', url }) => [name, url])) },
    onLeftOut,
  );
  const redaction = new Redaction(secrets);
  const sockets = new Set<Duplex>();
  const access = new Access(host, accessOptions);
  const upstreamOf = (request: IncomingMessage) => upstreams.find((each) => each.serves(request));
  const server = createHttpServer(access, (request, socket, head) => {
    const refusal = access.refusal(request);
    const found = upstreamOf(request);
    if (refusal !== undefined) endWithRefusal(socket, refusal);
    else if (found === undefined)
      endWithRefusal(socket, new Refusal('There is no upstream at this path.', { status: 404 }));
    else relayWebSocket({ upstream: found, writer, redaction }, webSockets, { request, socket, head });
  });
  const webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    autoPong: false,
    clientTracking: false,
    maxPayload: 0,
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (request, response) => {
    if (guard(access, request, response)) return;
    const found = upstreamOf(request);
    if (found === undefined) response.writeHead(404).end();
    else relayHttp({ upstream: found, writer, redaction }, request, response);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, canonicalHost(host), () => resolve());
    });
  } catch (error) {
    writer.close();
    const message = `The recorder cannot listen on ${host}, port ${port}; choose another one, or 0 for any free port.`;
    throw new EmulatorError('port_in_use', message, { cause: error });
  }
  const listening = portOf(server);
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= new Promise<void>((resolve, reject) => {
      server.close(() => {
        // The file is closed one turn of the event loop later, so that the ends of the connections are in the recording.
        setImmediate(() => {
          const { failure } = writer;
          writer.close();
          if (failure === undefined) resolve();
          else reject(new Error(`The recording ${file} is not whole: ${failure.message}.`, { cause: failure }));
        });
      });
      for (const socket of sockets) socket.destroy();
    });
    return closed;
  };
  const origin = `http://${reachableHost(host)}:${listening}`;
  return {
    url: `${origin}${first?.path ?? ''}`,
    urlOf(name) {
      const found = upstreams.find((each) => each.name === name);
      if (found !== undefined) return `${origin}${found.path}`;
      throw new EmulatorError('invalid_option', `The recorder has no upstream ${JSON.stringify(name)}.`);
    },
    port: listening,
    close,
    [Symbol.asyncDispose]: close,
  };
}
