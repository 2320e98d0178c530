import { EventSourceParserStream } from 'eventsource-parser/stream';
import { outputText } from '../../agent/tools/output.js';
import { requestOf } from './program.js';
import type { Tool } from '../../agent/tools/tool.js';
import type { Call, Item, LoopResult, LoopTurn, ProgramOptions } from './program.js';

/** The part of `fetch` that the loop uses, which those of Node and of turnwire both have. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface LoopOptions extends ProgramOptions {
  fetch: Fetch;
  /** The base URL of the API. */
  url: string;
}

/**
 * The program of the demo: a tool loop as one writes it with any SDK. It keeps the history, sends all of it with each turn, and has the server store nothing.
 * It contains no code of turnwire: two runs differ in nothing but the `fetch` that they are given.
 */
export async function agentLoop({ question, onTurn, ...options }: LoopOptions): Promise<LoopResult> {
  const { tools, signal } = options;
  const history: Item[] = [{ role: 'user', content: question }];
  const turns: LoopTurn[] = [];
  const begun = performance.now();
  for (;;) {
    const beganMs = performance.now() - begun;
    const { output, firstEventMs, plan } = await ask(history, options);
    turns.push({ beganMs, firstEventMs, endedMs: performance.now() - begun, plan });
    history.push(...output);
    onTurn(turns.length);
    const calls = output.filter(({ type }) => type === 'function_call') as unknown as Call[];
    if (calls.length === 0) return { turns, history };
    for (const call of calls)
      history.push({
        type: 'function_call_output',
        call_id: call.call_id,
        output: await runCall(call, tools, signal),
      });
  }
}

/** Runs one turn: sends the whole history, and reads the events of the answer. */
async function ask(
  history: readonly Item[],
  { fetch, url, signal, ...request }: Pick<LoopOptions, 'fetch' | 'url' | 'signal' | 'instructions' | 'tools'>,
): Promise<{ output: Item[]; firstEventMs: number; plan: string | null }> {
  const begun = performance.now();
  const response = await fetch(`${url}/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer none-needed' },
    body: JSON.stringify({ ...requestOf(request), input: history, stream: true, store: false }),
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

/** Runs a tool, and gives its output. */
export async function runCall(call: Call, tools: readonly Tool[], signal: AbortSignal): Promise<string> {
  const tool = tools.find(({ name }) => name === call.name);
  if (tool === undefined) throw new Error(`the model called ${call.name}, which is none of its tools`);
  const args: unknown = JSON.parse(call.arguments);
  tool.check(args);
  return outputText(await tool.run(args, { signal }));
}
