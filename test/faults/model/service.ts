import { createHash } from 'node:crypto';
import { canonical } from '../oracle/transcript.js';
import { itemsOf } from '../server/items.js';
import type { Json } from '../server/events.js';

/** Where a request came in; SSE has no connection that remembers anything. */
export interface Place {
  connection: number | undefined;
  lane: string;
}

export interface Usage {
  input_tokens: number;
  output_tokens: number;
  total_tokens: number;
}

/** A response that was begun. It counts as held by the server once `finish` was called. */
export interface Run {
  id: string;
  /** The whole input it was answered from. */
  input: readonly Json[];
  output: readonly Json[];
  usage: Usage;
  stored: boolean;
  place: Place;
}

export type Answer = { run: Run } | { refusal: Json };

/**
 * What a server remembers and does, once for all transports: a cache for each connection and lane that holds its last response (P70), a
 * store for those with `store: true` (P71), the transcripts, and the bill. Deterministic: the same requests in the same order get
 * the same answers. It shares nothing with the client, and nothing with the emulator.
 */
export class Service {
  readonly #transcripts = new Map<string, { items: readonly Json[]; stored: boolean }>();
  readonly #caches = new Map<number, Map<string, string>>();
  readonly bill = new Map<string, Usage>();
  readonly #strictToolPairs: boolean;
  #count = 0;

  constructor({ strictToolPairs = true }: { strictToolPairs?: boolean } = {}) {
    this.#strictToolPairs = strictToolPairs;
  }

  /** Answers from the transcript; refuses what it does not hold, and calls that have no output (D10). */
  answer(request: Json, place: Place): Answer {
    const given = itemsOf(request['input']);
    const previous = request['previous_response_id'];
    let before: readonly Json[] = [];
    if (typeof previous === 'string') {
      const held = this.#held(previous, place.connection);
      if (held === undefined) return { refusal: notFound(previous) };
      before = held;
    }
    const input = [...before, ...given];
    const problem = this.#strictToolPairs ? unpaired(input) : undefined;
    if (problem !== undefined) {
      if (typeof previous === 'string') this.evict(previous, place.connection);
      return { refusal: problem };
    }
    this.#count += 1;
    const id = `resp_${this.#count}`;
    const output = this.#output(request, input);
    const size = JSON.stringify(input).length;
    const usage = { input_tokens: size, output_tokens: 7, total_tokens: size + 7 };
    return { run: { id, input, output, usage, stored: request['store'] !== false, place } };
  }

  /** True for a response that was generated, and so is billed, whether or not a client has seen its end. */
  charge({ id, usage }: Run): void {
    this.bill.set(id, usage);
  }

  /** Its terminal event goes out: from now on it can be continued. */
  finish({ id, input, output, stored, place }: Run): void {
    this.#transcripts.set(id, { items: [...input, ...output], stored });
    if (place.connection === undefined) return;
    const lanes = this.#caches.get(place.connection) ?? new Map<string, string>();
    this.#caches.set(place.connection, lanes.set(place.lane, id));
  }

  /** From the caches; with no connection, from every cache and the store. */
  evict(id: string, connection?: number): void {
    for (const [number, lanes] of this.#caches)
      if (connection === undefined || number === connection)
        for (const [lane, held] of lanes) if (held === id) lanes.delete(lane);
    if (connection === undefined) this.#transcripts.delete(id);
  }

  /** The connection has ended, and with it all that was cached there (P74). */
  disconnected(connection: number): void {
    this.#caches.delete(connection);
  }

  #held(id: string, connection: number | undefined): readonly Json[] | undefined {
    const known = this.#transcripts.get(id);
    if (known === undefined) return undefined;
    const cached = connection !== undefined && [...(this.#caches.get(connection)?.values() ?? [])].includes(id);
    return cached || known.stored ? known.items : undefined;
  }

  /** A text that names what it was answered from; or a call, where the last message asks for one and there is a tool. */
  #output(request: Json, input: readonly Json[]): Json[] {
    const { tools } = request;
    const last = input.at(-1);
    const wantsTool = Array.isArray(tools) && tools.length > 0 && JSON.stringify(last).includes('use the tool');
    if (wantsTool) {
      const call = `call_${this.#count}`;
      return [{ type: 'function_call', id: `fc_${this.#count}`, call_id: call, name: 'tool', arguments: '{"n":1}' }];
    }
    const text = `answer ${this.#count} to ${digest(input)}`;
    return [
      {
        type: 'message',
        id: `msg_${this.#count}`,
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text, annotations: [] }],
      },
    ];
  }
}

/** Eight letters that differ where two conversations do. */
export function digest(items: readonly Json[]): string {
  return createHash('sha256').update(canonical(items)).digest('hex').slice(0, 8);
}

export function notFound(id: string): Json {
  return refusal(
    400,
    'previous_response_not_found',
    `Previous response with id '${id}' not found.`,
    'previous_response_id',
  );
}

/** The nested shape (P61). */
export function refusal(status: number, code: string, message: string, param: string | null = null): Json {
  return { type: 'error', status, error: { type: 'invalid_request_error', code, message, param } };
}

function unpaired(input: readonly Json[]): Json | undefined {
  const calls = new Set(ids(input, 'function_call'));
  const outputs = new Set(ids(input, 'function_call_output'));
  const open = [...calls].find((id) => !outputs.has(id));
  if (open !== undefined)
    return refusal(400, 'no_tool_output', `No tool output found for function call ${open}.`, 'input');
  const foreign = [...outputs].find((id) => !calls.has(id));
  if (foreign === undefined) return undefined;
  return refusal(400, 'no_tool_call', `No tool call found for function call output with call_id ${foreign}.`, 'input');
}

function ids(input: readonly Json[], type: string): string[] {
  return input.filter((item) => item['type'] === type).map((item) => String(item['call_id']));
}
