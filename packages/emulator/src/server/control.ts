import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Behaviour } from '../sources/behaviour.js';
import type { Bill } from '../journal/bill.js';
import { ScriptError } from '../base/errors.js';
import { advice } from '../base/spelling.js';
import { readBody } from './http/read-body.js';
import { endpointFor } from './http/routes.js';
import type { Journal } from '../journal/journal.js';
import { Refusal } from '../wire/refusal.js';

/** The path of the control API, by which tests in any language control an emulator. */
const controlPath = '/emulator';

/** The parts of an emulator that the control API reads and changes. */
export interface ControlledEmulator {
  readonly journal: Journal;
  readonly behaviour: Behaviour;
  readonly bill: () => Bill;
  readonly state: () => object;
  readonly close: () => Promise<void>;
  readonly bodyBytes: number;
}

/** One request to the control API. */
interface ControlCall {
  readonly controlled: ControlledEmulator;
  readonly query: URLSearchParams;
  /** Reads the body as a text, which is empty for a request without a body. */
  readonly body: () => Promise<string>;
}

type Action = (call: ControlCall) => unknown;

const okAnswer = { status: 'ok' };

/** An action that changes something and answers with `ok`. */
function command(act: (call: ControlCall) => void | Promise<void>): Action {
  return async (call) => {
    await act(call);
    return okAnswer;
  };
}

/** The actions of the control API, by path and method. */
const actions: Readonly<Record<string, Readonly<Record<string, Action>>>> = {
  '/health': { GET: () => okAnswer },
  '/state': { GET: ({ controlled }) => controlled.state() },
  '/bill': { GET: ({ controlled }) => controlled.bill() },
  '/journal': {
    GET: ({ controlled: { journal } }) => ({
      turns: journal.turns(),
      connections: journal.connections(),
      requests: journal.requests(),
    }),
  },
  '/clear': { POST: command(({ controlled }) => controlled.journal.clear()) },
  '/settled': {
    POST: command(({ controlled, query }) =>
      controlled.journal.settled(timeoutOf(query)).catch((error: unknown) => {
        throw new Refusal(messageOf(error), { status: 504, type: 'not_settled', code: 'not_settled' });
      }),
    ),
  },
  '/script': {
    GET: ({ controlled }) => ({ unused_turns: controlled.behaviour.unusedTurns() }),
    PUT: command(async ({ controlled, body }) => controlled.behaviour.setScriptText(await body(), 'script')),
    DELETE: command(({ controlled }) => controlled.behaviour.setScript(undefined)),
  },
  '/faults': {
    PUT: command(async ({ controlled, body }) => controlled.behaviour.setFaultsText(await body(), 'faults')),
    DELETE: command(({ controlled }) => controlled.behaviour.setFaults(undefined)),
  },
  // `serveControl` closes the emulator after this answer was sent.
  '/end': { POST: () => okAnswer },
};

export function isControl(request: IncomingMessage): boolean {
  const path = pathOf(request);
  return path === controlPath || path.startsWith(`${controlPath}/`);
}

/** Answers one request to the control API with JSON. Never rejects. */
export async function serveControl(
  controlled: ControlledEmulator,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const path = pathOf(request).slice(controlPath.length);
    const methods = Object.hasOwn(actions, path) ? actions[path] : undefined;
    if (methods === undefined) throw unknownAction(path);
    const { method = '' } = request;
    const action = endpointFor(methods, method);
    if (action === undefined) {
      const allow = Object.keys(methods).join(', ');
      throw new Refusal(`${controlPath}${path} takes ${allow}, not ${method}.`, { status: 405, headers: { allow } });
    }
    const query = new URL(request.url ?? '/', 'http://emulator').searchParams;
    const body = async () => (await readBody(request, controlled.bodyBytes)).body.toString('utf8');
    send(response, 200, await action({ controlled, query, body }));
    if (path === '/end') response.once('close', () => void controlled.close());
  } catch (error) {
    if (response.destroyed || response.headersSent) return void response.destroy();
    const refusal = error instanceof Refusal ? error : asRefusal(error);
    send(response, refusal.status, JSON.parse(refusal.body()), refusal.headers);
  }
}

function send(response: ServerResponse, status: number, body: unknown, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers, connection: 'close' });
  response.end(`${JSON.stringify(body)}\n`);
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof ScriptError) return new Refusal(error.message, { code: error.code });
  return new Refusal(messageOf(error), { status: 500 });
}

function unknownAction(path: string): Refusal {
  const known = Object.keys(actions).map((each) => `${controlPath}${each}`);
  return new Refusal(`There is no ${controlPath}${path.slice(0, 100)}; there are ${known.join(', ')}.`, {
    status: 404,
  });
}

const longestWaitMs = 600_000;

function timeoutOf(query: URLSearchParams): number {
  const unknown = [...query.keys()].find((name) => name !== 'timeout_ms');
  if (unknown !== undefined) {
    const message = `${controlPath}/settled has no parameter ${JSON.stringify(unknown)}; ${advice(unknown, ['timeout_ms'])}.`;
    throw new Refusal(message, { param: unknown });
  }
  const timeout = query.get('timeout_ms');
  if (timeout === null) return 5000;
  if (/^\d{1,6}$/.test(timeout) && Number(timeout) <= longestWaitMs) return Number(timeout);
  throw new Refusal(`timeout_ms must be milliseconds from 0 to ${longestWaitMs}, not ${JSON.stringify(timeout)}.`, {
    param: 'timeout_ms',
  });
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').replace(/[?#].*$/s, '');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
