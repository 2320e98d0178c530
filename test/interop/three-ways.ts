import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFetch } from '@turnwire/client/fetch';
import { startEmulator } from 'turnwire/emulator';
import type { FetchOptions, TurnwireFetch } from '@turnwire/client/fetch';
import type { Emulator, EmulatorOptions } from 'turnwire/emulator';

type Fetch = typeof globalThis.fetch;

/** The address and the fetch that an SDK is given. */
export interface Place {
  baseURL: string;
  apiKey: string;
  fetch: Fetch;
  /** The answers so far, in their order. */
  answers: Response[];
}

export interface Outcome<Result> {
  result: Result;
  /** How often the SDK has called its fetch for a turn. */
  calls: number;
  /** The whole context of each turn as the server had it, over any transport. */
  contexts: unknown[];
  emulator: Emulator;
  answers: Response[];
}

export interface Server extends EmulatorOptions {
  /** The server is reached by this name, as a provider's is: SDKs and our table of providers go by it. */
  host?: string;
}

/** A conversation with our fetch over a WebSocket. */
export function overWebSocket<Result>(
  server: Server,
  run: (place: Place) => Promise<Result>,
): Promise<Outcome<Result>> {
  return carriedOver('websocket', server, run);
}

/** The same conversation against the same server with our fetch over a WebSocket, and over SSE. */
export async function bothTransports<Result>(
  server: Server,
  run: (place: Place) => Promise<Result>,
): Promise<Record<'websocket' | 'sse', Outcome<Result>>> {
  const [websocket, sse] = await Promise.all([carriedOver('websocket', server, run), carriedOver('sse', server, run)]);
  return { websocket, sse };
}

/** The same with the ordinary fetch beside them. All three came to the same: the results, the number of calls, and what the server was told. */
export async function sameThreeWays<Result>(server: Server, run: (place: Place) => Promise<Result>): Promise<Result> {
  const [{ websocket, sse }, ordinary] = await Promise.all([
    bothTransports(server, run),
    oneWay(undefined, server, run),
  ]);
  // Over HTTP a call travels as with the ordinary fetch: as a stream if it asked for one, else as JSON.
  if (ordinary.contexts.length > 0) assert.deepEqual(transportsOf(sse), transportsOf(ordinary));
  for (const ours of [websocket, sse]) {
    assert.deepEqual(plain(ours.result), plain(ordinary.result));
    assert.equal(ours.calls, ordinary.calls);
    assert.deepEqual(plain(ours.contexts), plain(ordinary.contexts));
  }
  return websocket.result;
}

async function carriedOver<Result>(
  transport: 'websocket' | 'sse',
  server: Server,
  run: (place: Place) => Promise<Result>,
): Promise<Outcome<Result>> {
  const fetch = createFetch({ transport, ...(server.host === undefined ? {} : { network: here }) });
  const outcome = await oneWay(fetch, server, run);
  if (transport === 'websocket' && outcome.contexts.length > 0)
    assert.deepEqual(transportsOf(outcome), new Set(['websocket']));
  return outcome;
}

function transportsOf({ emulator }: Outcome<unknown>): Set<string> {
  return new Set(emulator.journal.turns().map(({ transport }) => transport));
}

/** Every name is this machine's. */
const here: NonNullable<FetchOptions['network']> = {
  allowPlaintext: true,
  lookup: (_host, { all }, callback) =>
    all === true ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4),
};

async function oneWay<Result>(
  ours: TurnwireFetch | undefined,
  { host, ...options }: Server,
  run: (place: Place) => Promise<Result>,
): Promise<Outcome<Result>> {
  const allowedHosts = host === undefined ? [] : [host];
  const emulator = await startEmulator({ obfuscation: false, allowedHosts, ...options });
  // The ordinary fetch knows no names but those of the network.
  const ordinary: Fetch = (input, init) =>
    globalThis.fetch(typeof input === 'string' && host !== undefined ? input.replace(host, '127.0.0.1') : input, init);
  const answers: Response[] = [];
  let calls = 0;
  const fetch: Fetch = async (...args) => {
    calls += 1;
    const answer = await (ours ?? ordinary)(...args);
    answers.push(answer);
    return answer;
  };
  try {
    const baseURL = host === undefined ? emulator.url : emulator.url.replace('127.0.0.1', host);
    const result = await run({ baseURL, apiKey: 'sk-of-a-test', fetch, answers });
    const contexts = contextsOf(emulator);
    return { result, calls, contexts, emulator, answers };
  } finally {
    await ours?.close();
    await emulator.close();
  }
}

/** How many answers came as a delta, and why the others did not. */
export function plansOf(answers: readonly Response[]): { deltas: number; full: string[] } {
  const full = answers
    .filter(({ headers }) => headers.get('x-turnwire-plan') === 'full')
    .map(({ headers }) => headers.get('x-turnwire-plan-reason') ?? '');
  return { deltas: answers.filter(({ headers }) => headers.get('x-turnwire-plan') === 'delta').length, full };
}

/** The fields of an SDK's error that programs look at. */
export async function thrownBy(run: () => Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await run();
  } catch (error) {
    const { name, message, status, statusCode, code, type, param, isRetryable } = error as Record<string, unknown>;
    const found = { class: (error as Error).constructor.name, name, message, status, statusCode, code, type, param };
    return Object.fromEntries(Object.entries({ ...found, isRetryable }).filter(([, value]) => value !== undefined));
  }
  throw new Error('nothing was thrown');
}

/**
 * Values as JSON without what differs between any two runs: times, ids, and what the server echoes of the way an input travelled. An id becomes
 * the place where it was seen first, so that what refers to it is still compared.
 */
function plain(value: unknown): unknown {
  const ids = new Map<string, string>();
  return JSON.parse(
    JSON.stringify(value, (name, inner: unknown) => {
      if (varying.has(name)) return undefined;
      if (typeof inner !== 'string') return inner;
      return inner.replaceAll(generated, (id) => {
        if (!ids.has(id)) ids.set(id, `id ${ids.size}`);
        return ids.get(id) ?? id;
      });
    }) ?? 'null',
  ) as unknown;
}

/** A part of the AI SDK without the ids that it makes up itself, each time anew. */
export function withoutMadeUp(part: unknown): unknown {
  return JSON.parse(JSON.stringify(part).replaceAll(/:"[A-Za-z0-9]{16}"/g, ':"made up"'));
}

const generated = /\b(?:resp|msg|rs|fc|call|req)_[\w-]{8,}/g;
const varying: ReadonlySet<string> = new Set([
  '_request_id',
  'completed_at',
  'created_at',
  'headers',
  'performance',
  'previous_response_id',
  'requestId',
  'responseHeaders',
  'timestamp',
  'url',
  // What a chain holds is counted as it was made, and not as an SDK writes it down.
  'usage',
]);

/** The whole context of each turn as the model was told it, however it came. */
export function contextsOf({ journal }: Emulator): unknown[] {
  return journal.turns().map(({ transcript }) => transcript.map(gist));
}

/** An item of a context as the model is told it: SDKs write the same one in several ways (`parsed: null`, arguments in another order, no id). */
function gist(item: Record<string, unknown>): unknown {
  const { type = 'message', role, name, content, output } = item;
  if (type === 'function_call') return { type, name, arguments: JSON.parse(String(item['arguments'])) as unknown };
  if (type === 'function_call_output') return { type, output };
  if (type !== 'message') return { type };
  const parts = typeof content === 'string' ? [{ text: content }] : (content as Record<string, unknown>[]);
  return { type, role, content: parts.map(({ text, refusal, image_url: image }) => text ?? refusal ?? image) };
}

/**
 * `shared/recordings`, beside the repository: real streams, by name. Of all of them the shortest that together have every kind of event and of item: an SDK
 * reads a second one of a kind as it reads the first.
 */
export function findRecordings(): { folder: string; names: readonly string[] } | undefined {
  for (let at = dirname(fileURLToPath(import.meta.url)); at !== dirname(at); at = dirname(at)) {
    const folder = join(at, 'shared', 'recordings');
    if (!existsSync(folder)) continue;
    const seen = new Set<string>();
    const recordings = readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => ({ name: name.slice(0, -'.jsonl'.length), text: readFileSync(join(folder, name), 'utf8') }))
      .sort((a, b) => a.text.length - b.text.length);
    const names = recordings.flatMap(({ name, text }) => {
      const known = seen.size;
      for (const kind of kindsOf(text)) seen.add(kind);
      return seen.size > known ? [name] : [];
    });
    return { folder, names };
  }
  return undefined;
}

interface RecordedEvent {
  type: string;
  item?: { type: string };
  part?: { type: string };
  response?: { status?: string; output?: { type: string }[] };
}

function kindsOf(recording: string): string[] {
  return recording
    .trim()
    .split('\n')
    .flatMap((line) => {
      const { type, item, part, response } = JSON.parse(line) as RecordedEvent;
      const output = response?.output ?? [];
      return [
        `${type} ${item?.type ?? part?.type ?? response?.status ?? ''}`,
        ...output.map((one) => `output ${one.type}`),
      ];
    });
}
