import { randomUUID } from 'node:crypto';
import { createClient } from '@turnwire/client';
import type { Endpoint } from './endpoint.js';

/** One tool loop over one transport: what a user of an agent waits for. */
export interface Loop {
  transport: 'sse' | 'websocket';
  turns: number;
  totalMs: number;
  /** From its beginning to the end of each turn. */
  endedMs: readonly number[];
  /** From each request to its first event. */
  firstEventMs: readonly number[];
  /** Bodies and frames. */
  sentBytes: number;
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
}

export interface LoopSize {
  turns: number;
  /** Bytes that each call's result brings. */
  resultBytes: number;
}

/** Items as they are sent: those of the model go back as they came. */
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

/** Tokens of a turn that are not results: instructions, tool, prompt; and a call as it is written and read again. */
const tokensAround = 150;
const tokensOfCall = 30;
const bytesPerToken = 4;

/** About what one loop will be billed for: all input counts at each turn, however little of it travels (P79). */
export function tokensOf({ turns, resultBytes }: LoopSize): { input: number; output: number } {
  const perTurn = resultBytes / bytesPerToken + tokensOfCall;
  return {
    input: Math.round(turns * tokensAround + (perTurn * turns * (turns - 1)) / 2),
    output: turns * tokensOfCall,
  };
}

/**
 * Runs a loop on a client of its own, and hands over the full history at each turn: what of it travels is the client's business.
 *
 * @throws TurnwireError; Error where the model calls nothing although it has to.
 */
export async function runLoop(
  { baseUrl, apiKey, model }: Endpoint,
  transport: Loop['transport'],
  { turns, resultBytes }: LoopSize,
  signal: AbortSignal,
): Promise<Loop> {
  const client = createClient({ baseUrl, apiKey, transport });
  // Begins like no other loop, so that none finds its prompt cached by the one before.
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

/** Numbers in words of the size of a token or two, the same for all loops. */
function textOf(part: number, bytes: number): string {
  let text = `Part ${part}.`;
  for (let line = 1; text.length < bytes; line += 1)
    text += ` Line ${line * part} says ${(line * 7919 * part) % 9973}.`;
  return text.slice(0, bytes);
}
