import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { Refusal } from '../wire/refusal.js';
import { reset } from '../listener/reset.js';
import { decoders } from '../listener/content-encoding.js';
import { decodedText, maxBodyBytes, tooLargeText } from './body-text.js';
import type { RecordingEntry } from './format.js';
import type { Redaction } from './redaction.js';
import { SseSplitter } from './sse-splitter.js';
import type { RecordingWriter } from './recording-writer.js';
import { upstreamField, forwardedHeaders, type Upstream } from './upstream.js';

/** What a relay passes its traffic to, and how it records that traffic. */
export interface Relay {
  readonly upstream: Upstream;
  readonly writer: RecordingWriter;
  readonly redaction: Redaction;
}

/** Passes one HTTP request to the upstream and the answer back, and records both. All bytes are passed on as they arrive. */
export function relayHttp(
  { upstream, writer, redaction }: Relay,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { url, path } = upstream.target(request);
  redaction.learn(request.headers, url);
  const write = writer.openExchange();
  const { method = 'GET' } = request;
  write({
    kind: 'request',
    ...upstreamField(upstream),
    method,
    path: redaction.path(url, path),
    headers: redaction.headers(request.headers),
  });

  let ended = false;
  const end = (how: 'complete' | 'cut' | 'reset' | 'left', rest = '') => {
    if (ended) return;
    ended = true;
    write({ kind: 'end', how, ...(rest !== '' && { text: redaction.text(rest) }) });
  };
  let wasReset = false;
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const outgoing = send(url, { method, headers: { ...forwardedHeaders(request.headers), host: url.host } });
  outgoing.on('error', (error: NodeJS.ErrnoException) => {
    wasReset = error.code === 'ECONNRESET' && error.syscall === 'read';
    if (response.headersSent || response.destroyed) return;
    if (wasReset || error.message === 'socket hang up') {
      end(wasReset ? 'reset' : 'cut');
      if (response.socket !== null) reset(response.socket);
      return;
    }
    const refusal = new Refusal(`The upstream ${url.host} cannot be reached: ${error.code ?? error.message}.`, {
      status: 502,
      code: 'upstream_unreachable',
    });
    write({ kind: 'answer', status: 502, headers: {} });
    write({ kind: 'body', from: 'server', text: refusal.body() });
    end('complete');
    response.writeHead(502, { 'content-type': 'application/json' }).end(refusal.body());
  });
  outgoing.once('response', (answer) => {
    redaction.learn(answer.headers);
    write({ kind: 'answer', status: answer.statusCode ?? 0, headers: redaction.headers(answer.headers) });
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, forwardedHeaders(answer.headers));
    response.flushHeaders();
    const recorded = /^text\/event-stream/i.test(answer.headers['content-type'] ?? '')
      ? recordEvents(answer, redaction, write)
      : recordBody(answer, 'server', redaction, write);
    const { rest } = recorded;
    answer.pipe(response);
    recorded.source.once('end', () => end('complete', rest()));
    answer.on('error', () => undefined);
    answer.once('close', () => {
      if (answer.complete || response.destroyed) return;
      end(wasReset ? 'reset' : 'cut', rest());
      if (response.socket === null) return;
      if (wasReset) reset(response.socket);
      else response.socket.end();
    });
  });
  response.once('close', () => {
    if (!response.writableFinished) end('left');
    outgoing.destroy();
  });
  recordBody(request, 'client', redaction, write);
  request.on('error', () => outgoing.destroy());
  request.pipe(outgoing);
}

/** A message that is recorded while it is passed on. */
interface RecordedMessage {
  /** The stream whose end follows the last recorded part of the message. */
  readonly source: Readable;
  /** The part of an event or a body that was received while its end was not. */
  readonly rest: () => string;
}

function recordEvents(
  answer: IncomingMessage,
  redaction: Redaction,
  write: (entry: RecordingEntry) => void,
): RecordedMessage {
  const splitter = new SseSplitter();
  const source = decoded(answer);
  if (source === undefined) return recordBody(answer, 'server', redaction, write);
  source.on('data', (chunk: Buffer) => {
    for (const text of splitter.push(chunk)) write({ kind: 'event', text: redaction.text(text) });
  });
  return { source, rest: () => splitter.rest };
}

/** The decoded body of an answer; undefined for a content coding that cannot be decoded. */
function decoded(answer: IncomingMessage): Readable | undefined {
  try {
    return decoders(answer.headers['content-encoding']).reduce<Readable>(
      // A body that is not valid ends the recorded events where it breaks.
      (from, to) => from.pipe(to.on('error', () => to.end())),
      answer,
    );
  } catch {
    return undefined;
  }
}

function recordBody(
  message: IncomingMessage,
  from: 'client' | 'server',
  redaction: Redaction,
  write: (entry: RecordingEntry) => void,
): RecordedMessage {
  let chunks: Buffer[] = [];
  let bytes = 0;
  message.on('data', (chunk: Buffer) => {
    const hadRoom = bytes <= maxBodyBytes;
    bytes += chunk.byteLength;
    if (bytes <= maxBodyBytes) {
      chunks.push(chunk);
    } else if (hadRoom) {
      chunks = [];
      write({ kind: 'body', from, ...tooLargeText });
    }
  });
  message.once('end', () => {
    if (chunks.length === 0) return;
    write({
      kind: 'body',
      from,
      ...decodedText(Buffer.concat(chunks), message.headers['content-encoding'], redaction),
    });
  });
  return { source: message, rest: () => (message.complete ? '' : Buffer.concat(chunks).toString('utf8')) };
}
