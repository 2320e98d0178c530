import { exchange, NoAnswer } from '../probe/http.js';
import { ProbeSocket } from '../probe/socket.js';
import { ms } from './finding.js';
import { whoAnswered } from './server.js';
import type { Target } from '../probe/target.js';
import type { Trace } from '../probe/trace.js';
import type { Finding } from './finding.js';

/** A create of this size without a model, so that every server refuses it and spends nothing. */
function large(mebibytes: number, fields: object): string {
  return JSON.stringify({ ...fields, padding: 'x'.repeat(mebibytes * 1024 * 1024) });
}

/** Finds out whether a body of this size arrives. */
export async function lookAtBodies(target: Target, trace: Trace, mebibytes: number): Promise<Finding> {
  const id = 'body-limit';
  const values = { mebibytes };
  try {
    const { status, headers } = await exchange(target, trace, {
      method: 'POST',
      path: 'responses',
      body: large(mebibytes, {}),
    });
    if (status !== 413 && status < 500) return { id, level: 'ok', text: `a body of ${mebibytes} MiB arrives`, values };
    return {
      id,
      level: 'problem',
      text: `a body of ${mebibytes} MiB is answered with ${status} (${whoAnswered(headers)})`,
      advice:
        'long histories fail: raise client_max_body_size (nginx allows 1 MiB unless told), or the limit of what answered',
      values,
    };
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return {
      id,
      level: 'problem',
      text: `a body of ${mebibytes} MiB has no answer: ${error.message}`,
      advice: 'something on the way ends large requests',
      values,
    };
  }
}

/** Finds out whether a frame of this size arrives. */
export async function lookAtFrames(target: Target, trace: Trace, mebibytes: number): Promise<Finding> {
  const id = 'frame-limit';
  const values = { mebibytes };
  const socket = await ProbeSocket.open(target, trace);
  socket.send(large(mebibytes, { type: 'response.create' }));
  const incoming = await socket.next();
  socket.leave();
  if (incoming.kind === 'frame') return { id, level: 'ok', text: `a frame of ${mebibytes} MiB arrives`, values };
  const what =
    incoming.kind === 'close'
      ? `the connection is closed with ${incoming.code}`
      : `nothing comes for ${ms(target.timeoutMs)}`;
  return {
    id,
    level: 'problem',
    text: `at a frame of ${mebibytes} MiB ${what}`,
    advice: 'larger turns go over SSE, each after a lost connection',
    values,
  };
}

/** Finds out whether an idle WebSocket is ended within the time. */
export async function lookAtIdle(target: Target, trace: Trace, waitMs: number): Promise<Finding> {
  const socket = await ProbeSocket.open(target, trace);
  const began = performance.now();
  const incoming = await socket.next(waitMs);
  const after = performance.now() - began;
  socket.leave();
  const id = 'idle';
  if (incoming.kind !== 'close')
    return { id, level: 'ok', text: `an idle WebSocket stays open for ${ms(waitMs)}`, values: { ms: after } };
  const how = incoming.code === 1006 ? 'without a close frame: a proxy, as a rule' : `with ${incoming.code}`;
  return {
    id,
    level: 'problem',
    text: `an idle WebSocket is ended after ${ms(after)}, ${how}`,
    advice:
      'silent turns are lost: raise proxy_read_timeout (nginx), timeout tunnel (haproxy); pings keep it open meanwhile: pool.pingMs below that time',
    values: { ms: after, code: incoming.code },
  };
}
