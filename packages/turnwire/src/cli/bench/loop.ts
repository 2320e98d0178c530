import { randomUUID } from 'node:crypto';
import { createClient } from '@turnwire/client';
import type { Endpoint } from './endpoint.js';

/** The figures of one tool loop over one transport. */
export interface Loop {
  transport: 'sse' | 'websocket';
  turns: number;
  totalMs: number;
  /** Milliseconds from the beginning of the loop to the end of each turn. */
  endedMs: readonly number[];
  /** Milliseconds from each request to its first event. */
  firstEventMs: readonly number[];
  /** The size of all bodies and frames that were sent. */
  sentBytes: number;
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
}

export interface LoopSize {
  turns: number;
  /** The size of each call's result, in bytes. */
  resultBytes: number;
}

/** Items of the input. The model's own items go back unchanged. */
type InputItem = object;

const tool = {
  type: 'function',
  name: 'read_part',
  description: 'Reads one part of the document.',
  parameters: {
    type: 'object',
    properties: { part: { type: 'integer' } },
    required: ['part'],
    additionalProperties: false,
  },
  strict: true,
} as const;

const instructions = 'Read the document part by part, with one call of read_part each turn.';

/** Tokens of a turn other than results: instructions, tool and prompt, and the call, which is written once and read again. */
const tokensAround = 150;
const tokensOfCall = 30;
const bytesPerToken = 4;

/** An estimate of what one loop is billed for: every turn is billed for its whole input, even where only a part is sent (P79). */
export function tokensOf({ turns, resultBytes }: LoopSize): { input: number; output: number } {
  const perTurn = resultBytes / bytesPerToken + tokensOfCall;
  return {
    input: Math.round(turns * tokensAround + (perTurn * turns * (turns - 1)) / 2),
    output: turns * tokensOfCall,
  };
}

/**
 * Runs a loop on a client of its own, and gives it the full history at each turn; the client decides what to send of it.
 *
 * @throws TurnwireError; Error where the model makes no call although it has to
 */
export async function runLoop(
  { baseUrl, apiKey, model }: Endpoint,
  transport: Loop['transport'],
  { turns, resultBytes }: LoopSize,
  signal: AbortSignal,
): Promise<Loop> {
  const client = createClient({ baseUrl, apiKey, transport });
  // Each loop begins with other words, so that none finds its prompt in the cache of an earlier one.
  const history: InputItem[] = [{ role: 'user', content: `Document ${randomUUID()}: read it.` }];
  const endedMs: number[] = [];
  const firstEventMs: number[] = [];
  let [sentBytes, inputTokens, cachedTokens, outputTokens] = [0, 0, 0, 0];
  const begun = performance.now();
  try {
    for (let number = 1; number <= turns; number += 1) {
      const turn = client.turn(
        {
          model,
          instructions,
          tools: [tool],
          tool_choice: { type: 'function', name: tool.name },
          parallel_tool_calls: false,
          input: [...history],
        },
        { signal },
      );
      const response = await turn.response();
      const { report } = turn;
      endedMs.push(performance.now() - begun);
      firstEventMs.push(report.firstEventMs ?? NaN);
      sentBytes += report.sentBytes;
      inputTokens += report.usage?.input_tokens ?? 0;
      cachedTokens += report.usage?.input_tokens_details?.cached_tokens ?? 0;
      outputTokens += report.usage?.output_tokens ?? 0;
      const call = response.output.find(({ type }) => type === 'function_call');
      if (call === undefined) throw new Error(`turn ${number} of the loop brought no call: another model may do it`);
      const output = textOf(number, resultBytes);
      history.push(...response.output, { type: 'function_call_output', call_id: call['call_id'], output });
    }
    return {
      transport,
      turns,
      totalMs: endedMs.at(-1) ?? NaN,
      endedMs,
      firstEventMs,
      sentBytes,
      inputTokens,
      cachedTokens,
      outputTokens,
    };
  } finally {
    client.destroy();
  }
}

/** Numbers in words: each takes a token or two, and all loops get the same. */
function textOf(part: number, bytes: number): string {
  let text = `Part ${part}.`;
  for (let line = 1; text.length < bytes; line += 1)
    text += ` Line ${line * part} says ${(line * 7919 * part) % 9973}.`;
  return text.slice(0, bytes);
}
