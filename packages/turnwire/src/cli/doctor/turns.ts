import { longTask } from '../probe/long-task.js';
import { ProbeSocket } from '../probe/socket.js';
import { endOf, isTerminal, part, turnOverSocket, turnOverSse } from '../probe/turn.js';
import { ms } from './finding.js';
import type { Target } from '../probe/target.js';
import type { Json, Turn } from '../probe/turn.js';
import type { Trace } from '../probe/trace.js';
import type { Finding } from './finding.js';

/** The number of turns that `lookAtTurns` runs. */
export const turnsOfLook = 3;
export const tokensOfTurn = 500;

/** The length from which on the events of a turn can be told apart in time. */
const longTurnMs = 500;

/** Events with less time than this between them came at once. */
const burstMs = 20;

interface Times {
  firstMs: number;
  textMs: number | undefined;
  totalMs: number;
  /** The number of text deltas, and the times of all events. */
  deltas: number;
  bursts: number;
}

/** Runs a turn over each transport and a second one that continues the first: finds out where the time goes, and whether a response can be continued. */
export async function lookAtTurns(
  target: Target,
  trace: Trace,
  model: string,
  socketOpens: boolean,
): Promise<readonly Finding[]> {
  const create: Json = { model, input: longTask, store: false, max_output_tokens: 400 };
  const { turn, answer } = await turnOverSse(target, trace, create);
  const findings: Finding[] = [];
  if (turn.broken !== undefined) {
    findings.push({
      id: 'sse',
      level: 'problem',
      text: `a turn over SSE fails: ${turn.broken}`,
      advice: `the server says: ${answer.body.slice(0, 200).replace(/\s+/g, ' ')}`,
    });
    return findings;
  }
  const sse = timesOf(turn);
  findings.push(timing('sse', 'SSE', sse, answer.headAt - turn.sentAt));
  const socket = socketOpens ? await ProbeSocket.open(target, trace) : undefined;
  let overSocket: Times | undefined;
  if (socket !== undefined) {
    const first = await turnOverSocket(socket, create);
    if (first.broken === undefined && endOf(first)['id'] !== undefined) {
      overSocket = timesOf(first);
      findings.push(
        timing('websocket', 'a WebSocket', overSocket, undefined),
        ...(await continued(socket, create, endOf(first))),
      );
    } else
      findings.push({
        id: 'websocket',
        level: 'problem',
        text: `a turn on a WebSocket fails: ${first.broken ?? JSON.stringify(first.events.at(-1)?.body).slice(0, 200)}`,
      });
    await socket.close(2000);
  }
  findings.push(buffering(sse, overSocket));
  return findings;
}

async function continued(socket: ProbeSocket, create: Json, first: Json): Promise<readonly Finding[]> {
  const { id, store } = first;
  const turn = await turnOverSocket(socket, { ...create, previous_response_id: id, input: 'Say the word ready.' });
  const second = endOf(turn);
  const findings: Finding[] = [];
  if (store === true)
    findings.push({
      id: 'store',
      level: 'problem',
      text: 'store: false was asked for, and the response is stored',
      advice: 'something on the way changes the request',
    });
  if (turn.broken !== undefined || second['id'] === undefined) {
    const { code } = part(turn.events.at(-1)?.body, 'error');
    findings.push({
      id: 'continuation',
      level: 'problem',
      text: `an unstored response cannot be continued on its WebSocket: ${turn.broken ?? String(code)}`,
      advice: 'each turn sends its whole history',
    });
    return findings;
  }
  const usage = part(second, 'usage');
  const cached = part(usage, 'input_tokens_details')['cached_tokens'];
  const input = usage['input_tokens'];
  const counted = typeof cached === 'number' && typeof input === 'number';
  findings.push({
    id: 'continuation',
    level: 'ok',
    text: `an unstored response is continued on its WebSocket${counted ? `; ${cached} of ${input} input tokens were cached (short contexts seldom are)` : ''}`,
    ...(counted && { values: { cached, input } }),
  });
  return findings;
}

function timing(id: string, over: string, { firstMs, textMs, totalMs }: Times, headMs: number | undefined): Finding {
  const steps = [
    ...(headMs === undefined ? [] : [`head ${ms(headMs)}`]),
    `first event ${ms(firstMs)}`,
    ...(textMs === undefined ? [] : [`first text ${ms(textMs)}`]),
    `end ${ms(totalMs)}`,
  ];
  return {
    id,
    level: 'ok',
    text: `a turn over ${over}: ${steps.join(', ')}`,
    values: { head_ms: headMs ?? null, first_event_ms: firstMs, first_text_ms: textMs ?? null, end_ms: totalMs },
  };
}

/** Finds out whether the events of SSE come together at the end, although those of a WebSocket come one by one. */
function buffering(sse: Times, socket: Times | undefined): Finding {
  const spread = sse.totalMs - sse.firstMs;
  if (sse.totalMs < longTurnMs)
    return { id: 'buffering', level: 'note', text: 'the turn was too short to tell whether its events are held back' };
  // Buffered events come late and in few pieces; a model that is slow to begin still has its first event early.
  const held = spread < sse.totalMs * 0.4 && sse.bursts * 3 <= sse.deltas;
  if (!held) return { id: 'buffering', level: 'ok', text: `events over SSE come one by one, over ${ms(spread)}` };
  const advice =
    'nginx: proxy_buffering off, proxy_http_version 1.1, gzip off for text/event-stream; or the server sends x-accel-buffering: no';
  const usual = socket !== undefined && socket.firstMs < socket.totalMs * 0.5;
  return {
    id: 'buffering',
    level: socket === undefined || usual ? 'problem' : 'note',
    text: `all events over SSE come together, after ${ms(sse.firstMs)}${usual ? `; over a WebSocket the first comes after ${ms(socket.firstMs)}` : ''}`,
    advice,
    values: { spread_ms: spread },
  };
}

function timesOf({ events, sentAt }: Turn): Times {
  const at = (index: number): number => (events[index]?.at ?? sentAt) - sentAt;
  const text = events.findIndex(({ type }) => type.endsWith('.delta'));
  return {
    firstMs: at(0),
    textMs: text === -1 ? undefined : at(text),
    totalMs: at(events.findIndex(isTerminal)),
    deltas: events.filter(({ type }) => type.endsWith('.delta')).length,
    bursts: events.filter(({ at }, index) => at - (events[index - 1]?.at ?? 0) > burstMs).length,
  };
}
