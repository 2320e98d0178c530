import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Behaviour } from '../sources/behaviour.js';
import type { Bill } from '../journal/bill.js';
import { ScriptError } from '../base/errors.js';
import { advice } from '../base/spelling.js';
import { utf8 } from '../base/utf8.js';
import { readBody } from './http/read-body.js';
import { endpointFor } from './http/routes.js';
import type { Journal } from '../journal/journal.js';
import { Refusal } from '../wire/refusal.js';
import { messageOf } from '../base/thrown.js';

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
  /** The body as a text, which is empty for a request without a body. */
  readonly body: string;
}

/** An action of the control API. Each path and method has one. */
interface Action {
  /** The result is the JSON of the answer. */
  readonly run: (call: ControlCall) => unknown;
  /** The name of the parameter that the query may have. @default none */
  readonly parameter?: string;
  /** True if the request has a body. @default false */
  readonly takesBody?: boolean;
}

const okAnswer = { status: 'ok' };

/** An action that answers with what it reads. */
function reading(read: (controlled: ControlledEmulator) => unknown): Action {
  return { run: ({ controlled }) => read(controlled) };
}

/** An action that changes something and answers with `ok`. */
function command(act: (call: ControlCall) => void | Promise<void>, options: Omit<Action, 'run'> = {}): Action {
  return {
    ...options,
    run: async (call) => {
      await act(call);
      return okAnswer;
    },
  };
}

/** The actions of the control API, by path and method. */
const actions: Readonly<Record<string, Readonly<Record<string, Action>>>> = {
  '/health': { GET: reading(() => okAnswer) },
  '/state': { GET: reading((controlled) => controlled.state()) },
  '/bill': { GET: reading((controlled) => controlled.bill()) },
  '/journal': {
    GET: reading(({ journal }) => ({
      turns: journal.turns(),
      connections: journal.connections(),
      requests: journal.requests(),
    })),
  },
  '/clear': { POST: command(({ controlled }) => controlled.journal.clear()) },
  '/settled': {
    POST: command(
      ({ controlled, query }) =>
        controlled.journal.settled(timeoutOf(query)).catch((error: unknown) => {
          throw new Refusal(messageOf(error), { status: 504, type: 'not_settled', code: 'not_settled' });
        }),
      { parameter: 'timeout_ms' },
    ),
  },
  '/script': {
    GET: reading(({ behaviour }) => ({ unused_turns: behaviour.unusedTurns() })),
    PUT: command(({ controlled, body }) => controlled.behaviour.setScriptText(body, 'script'), { takesBody: true }),
    DELETE: command(({ controlled }) => controlled.behaviour.setScript(undefined)),
  },
  '/faults': {
    PUT: command(({ controlled, body }) => controlled.behaviour.setFaultsText(body, 'faults'), { takesBody: true }),
    DELETE: command(({ controlled }) => controlled.behaviour.setFaults(undefined)),
  },
  // `serveControl` closes the emulator after this answer was sent.
  '/end': { POST: command(() => undefined) },
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
    refuseUnknownParameter(path, action, query);
    const body = await readText(request, controlled.bodyBytes);
    // Some clients send an empty object where they have nothing to send.
    if (action.takesBody !== true && !['', '{}'].includes(body.trim())) throw bodyNotTaken(path, method, action);
    send(response, 200, await action.run({ controlled, query, body }));
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
  const known = Object.keys(actions).map((each) => each.slice(1));
  const name = path.slice(1, 100);
  const what = name === '' ? `${controlPath} is the control API` : `${controlPath} has no ${JSON.stringify(name)}`;
  return new Refusal(`${what}; ${advice(name, known)}.`, { status: 404 });
}

function refuseUnknownParameter(path: string, { parameter }: Action, query: URLSearchParams): void {
  const names = [...query.keys()];
  const unknown = names.find((name) => name !== parameter);
  if (unknown !== undefined) {
    const known = parameter === undefined ? [] : [parameter];
    const message = `${controlPath}${path} has no parameter ${JSON.stringify(unknown.slice(0, 100))}; ${advice(unknown, known)}.`;
    throw new Refusal(message, { param: unknown });
  }
  if (names.length > 1) throw new Refusal(`${controlPath}${path} takes ${parameter} once.`, { param: parameter });
}

function bodyNotTaken(path: string, method: string, { parameter }: Action): Refusal {
  const where = parameter === undefined ? '' : `; ${parameter} is written after the path: ?${parameter}=5000`;
  return new Refusal(`${method} ${controlPath}${path} takes no body${where}.`);
}

/** Reads the body of a request as a text. @throws Refusal for a body that is not UTF-8 */
async function readText(request: IncomingMessage, limit: number): Promise<string> {
  const text = utf8((await readBody(request, limit)).body);
  const charset = /;\s*charset="?([\w-]+)/i.exec(request.headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  if (text !== undefined && /^(utf-?8|us-ascii)$/i.test(charset)) return text;
  throw new Refusal('The body must be UTF-8 text.', { status: 415, code: 'not_utf8' });
}

const longestWaitMs = 600_000;

function timeoutOf(query: URLSearchParams): number {
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
