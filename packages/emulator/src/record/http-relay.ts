import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Refusal } from '../refusal.js';
import { reset } from '../reset.js';
import type { RecordingEntry } from './format.js';
import type { Redaction } from './redaction.js';
import { SseSplitter } from './sse-splitter.js';
import type { Tape } from './tape.js';
import { namedAs, passedHeaders, type Upstream } from './upstream.js';

/** Of a body that is no event stream, so much is written down; all of it is passed on. */
const LONGEST_BODY = 64 * 1024 * 1024;

/** Passes one HTTP request on, and its answer back, as the bytes come; neither is ever held whole before it travels on. */
export function relayHttp(
  upstream: Upstream,
  tape: Tape,
  redaction: Redaction,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { url, path } = upstream.target(request);
  redaction.learn(request.headers, url);
  const write = tape.exchange();
  const { method = 'GET' } = request;
  write({
    kind: 'request',
    ...namedAs(upstream),
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
  const outgoing = send(url, { method, headers: { ...passedHeaders(request.headers), host: url.host } });
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
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, passedHeaders(answer.headers));
    response.flushHeaders();
    const rest = /^text\/event-stream/i.test(answer.headers['content-type'] ?? '')
      ? recordEvents(answer, redaction, write)
      : recordBody(answer, 'server', redaction, write);
    answer.pipe(response);
    answer.once('end', () => end('complete', rest()));
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

/** @returns what has come of an event that has not ended */
function recordEvents(
  answer: IncomingMessage,
  redaction: Redaction,
  write: (entry: RecordingEntry) => void,
): () => string {
  const splitter = new SseSplitter();
  answer.on('data', (chunk: Buffer) => {
    for (const text of splitter.push(chunk)) write({ kind: 'event', text: redaction.text(text) });
  });
  return () => splitter.rest;
}

/** @returns what has come of a body that has not ended */
function recordBody(
  message: IncomingMessage,
  from: 'client' | 'server',
  redaction: Redaction,
  write: (entry: RecordingEntry) => void,
): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  message.on('data', (chunk: Buffer) => {
    if (bytes < LONGEST_BODY) chunks.push(chunk);
    bytes += chunk.byteLength;
  });
  message.once('end', () => {
    if (bytes > 0) write({ kind: 'body', from, ...bodyText(Buffer.concat(chunks), redaction) });
  });
  return () => (message.complete ? '' : Buffer.concat(chunks).toString('utf8'));
}

/** UTF-8 as text; anything else in base64. */
export function bodyText(bytes: Buffer, redaction: Redaction): { text: string; base64?: true } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    redaction.learnBody(text);
    return { text: redaction.text(text) };
  } catch {
    return { text: bytes.toString('base64'), base64: true };
  }
}
