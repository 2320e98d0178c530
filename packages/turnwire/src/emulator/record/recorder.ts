import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { EmulatorError } from '../errors.js';
import { portOf } from '../port.js';
import { relayHttp } from './http-relay.js';
import { Redaction } from './redaction.js';
import { Tape } from './tape.js';
import { Upstream } from './upstream.js';
import { relayWebSocket } from './websocket-relay.js';

export interface RecorderOptions {
  /** The base URL to pass everything on to, such as `https://api.openai.com/v1`. */
  readonly upstream: string;
  /** The file to write; it must not exist yet. Only its owner can read it. */
  readonly file: string;
  /** 0 takes any free port. @default 0 */
  readonly port?: number | undefined;
  /** The address to listen on. Whoever reaches it reaches the upstream. @default '127.0.0.1' */
  readonly host?: string | undefined;
}

/** A running recorder. */
export interface Recorder extends AsyncDisposable {
  /** `http://HOST:PORT/v1`: give this to the client in place of the upstream. */
  readonly url: string;
  readonly port: number;
  /** Ends all connections and the file. Rejects if not everything could be written. May be called again. */
  close(): Promise<void>;
}

/**
 * Stands between a client and an upstream, passes both transports through as they come, and writes down what it saw, as
 * JSON Lines that `startEmulator({ replay })` serves back.
 *
 * A message or event is passed on right after its line has been written. Bodies stream, a slow reader slows its writer
 * down, pings and closes travel end to end. Two things are changed on the way: `accept-encoding` is left out, and
 * compression of WebSocket frames is not offered. Credentials are passed on and never written (see `Redaction`). Not
 * recorded: pings, the fragments of a message, the chunks of a body.
 *
 * @throws EmulatorError if an option is wrong, the file exists or the port is in use
 */
export async function startRecorder({
  upstream,
  file,
  port = 0,
  host = '127.0.0.1',
}: RecorderOptions): Promise<Recorder> {
  const behind = new Upstream(upstream);
  const tape = new Tape(file, behind.name);
  const redaction = new Redaction();
  const sockets = new Set<Duplex>();
  const server = createServer();
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
  server.on('request', (request, response) => relayHttp(behind, tape, redaction, request, response));
  server.on('upgrade', (request, socket, head) => {
    relayWebSocket(behind, tape, redaction, webSockets, request, socket, head);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => resolve());
    });
  } catch (error) {
    tape.close();
    const message = `The recorder cannot listen on ${host}, port ${port}; choose another one, or 0 for any free port.`;
    throw new EmulatorError('port_in_use', message, { cause: error });
  }
  const listening = portOf(server);
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= new Promise<void>((resolve, reject) => {
      server.close(() => {
        // The ends of the connections are part of the recording.
        setImmediate(() => {
          const { failure } = tape;
          tape.close();
          if (failure === undefined) resolve();
          else reject(new Error(`The recording ${file} is not whole: ${failure.message}.`, { cause: failure }));
        });
      });
      for (const socket of sockets) socket.destroy();
    });
    return closed;
  };
  return { url: `http://${host}:${listening}/v1`, port: listening, close, [Symbol.asyncDispose]: close };
}
