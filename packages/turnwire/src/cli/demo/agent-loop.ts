import { EventSourceParserStream } from 'eventsource-parser/stream';
import { outputText } from '../../agent/tools/output.js';
import type { Tool } from '../../agent/tools/tool.js';

/** What the loop needs of a fetch; that of Node and that of turnwire both have it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface LoopOptions {
  fetch: Fetch;
  /** The API's base URL. */
  url: string;
  instructions: string;
  tools: readonly Tool[];
  question: string;
  signal: AbortSignal;
  onTurn: (turn: number) => void;
}

/** One turn of a loop; times in milliseconds. */
export interface LoopTurn {
  /** From the beginning of the loop to the request. */
  beganMs: number;
  /** From the request to the first event. */
  firstEventMs: number;
  /** From the beginning of the loop to the end of the answer. */
  endedMs: number;
  /** How turnwire sent the turn, as the headers of its answer say; null with another fetch, which sends all. */
  plan: string | null;
}

/** What a loop came to. */
export interface LoopResult {
  turns: readonly LoopTurn[];
  /** All items of the conversation. */
  history: readonly Item[];
}

type Item = Readonly<Record<string, unknown>> & { type?: string };
interface Call {
  name: string;
  arguments: string;
  call_id: string;
}

/**
 * The program of the demo: a tool loop as it is written against any SDK. It keeps the history, sends all of it with each turn, and lets the
 * server store nothing. It knows nothing of turnwire: the only difference between two runs is the `fetch` that they are given.
 */
export async function agentLoop({ question, tools, onTurn, ...options }: LoopOptions): Promise<LoopResult> {
  const history: Item[] = [{ role: 'user', content: question }];
  const turns: LoopTurn[] = [];
  const begun = performance.now();
  for (;;) {
    const beganMs = performance.now() - begun;
    const { output, firstEventMs, plan } = await ask(history, tools, options);
    turns.push({ beganMs, firstEventMs, endedMs: performance.now() - begun, plan });
    history.push(...output);
    onTurn(turns.length);
    const calls = output.filter(({ type }) => type === 'function_call') as unknown as Call[];
    if (calls.length === 0) return { turns, history };
    for (const call of calls)
      history.push({
        type: 'function_call_output',
        call_id: call.call_id,
        output: await run(call, tools, options.signal),
      });
  }
}

/** One turn: the whole history goes out, and the events of the answer come in. */
async function ask(
  history: readonly Item[],
  tools: readonly Tool[],
  { fetch, url, instructions, signal }: Pick<LoopOptions, 'fetch' | 'url' | 'instructions' | 'signal'>,
): Promise<{ output: Item[]; firstEventMs: number; plan: string | null }> {
  const begun = performance.now();
  const response = await fetch(`${url}/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer none-needed' },
    body: JSON.stringify({
      model: 'scripted',
      instructions,
      tools: tools.map(({ name, description, parameters }) => ({ type: 'function', name, description, parameters })),
      input: history,
      stream: true,
      store: false,
    }),
    signal,
  });
  if (!response.ok || response.body === null) throw new Error(`the turn was refused: ${await response.text()}`);
  let firstEventMs: number | undefined;
  for await (const { data } of response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())) {
    firstEventMs ??= performance.now() - begun;
    const event = JSON.parse(data) as { type: string; response?: { output: Item[] } };
    if (event.type !== 'response.completed' || event.response === undefined) continue;
    return { output: event.response.output, firstEventMs, plan: response.headers.get('x-turnwire-plan') };
  }
  throw new Error('the answer ended before it was complete');
}

async function run(call: Call, tools: readonly Tool[], signal: AbortSignal): Promise<string> {
  const tool = tools.find(({ name }) => name === call.name);
  if (tool === undefined) throw new Error(`the model called ${call.name}, which is none of its tools`);
  const args: unknown = JSON.parse(call.arguments);
  tool.check(args);
  return outputText(await tool.run(args, { signal }));
}
