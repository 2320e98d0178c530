import type { InputItem } from '@turnwire/client';
import { z } from 'zod';
import type { HistoryEntry } from '../conversation/history.js';

const item = z.custom<InputItem>((value) => typeof value === 'object' && value !== null && !Array.isArray(value));
const items = z.array(item);

/** The first line of a session file. */
const head = z.object({
  turnwire: z.literal('session'),
  version: z.literal(1),
  id: z.string(),
  created: z.string(),
  /** The absolute path of the agent file. */
  file: z.string(),
  /** The agent that the session began with. */
  agent: z.string(),
});

const tokens = z.object({
  input_tokens: z.number(),
  cached_tokens: z.number(),
  output_tokens: z.number(),
  reasoning_tokens: z.number(),
});

const entry = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('items'), items, maker: z.string().optional() }),
  z.object({ kind: z.literal('begun'), call_id: z.string() }),
  z.object({ kind: z.literal('agent'), agent: z.string() }),
  z.object({ kind: z.literal('compacted'), items, makers: z.array(z.string().nullable()).optional() }),
  z.object({ kind: z.literal('title'), title: z.string() }),
  z.object({ kind: z.literal('usage'), usage: tokens, cost: z.number().optional() }),
]);

export type SessionHead = z.output<typeof head>;
export type SessionEntry = HistoryEntry | Extract<z.output<typeof entry>, { kind: 'usage' }>;

/** The content of a session file. */
export interface SessionText {
  head: SessionHead;
  entries: readonly SessionEntry[];
  /** The bytes up to the end of the last complete line: bytes after it were being written when the process ended. */
  length: number;
}

/**
 * Reads a session file.
 *
 * @throws Error that names the first line which is not one of a session file. An incomplete last line is ignored, since its writing was never acknowledged
 */
export function readSession(bytes: Uint8Array, name: string): SessionText {
  const length = bytes.lastIndexOf(0x0a) + 1;
  const lines = new TextDecoder().decode(bytes.subarray(0, length)).split('\n').slice(0, -1);
  const parsed = <Line>(schema: z.ZodType<Line>, index: number): Line => {
    try {
      return schema.parse(JSON.parse(lines[index] ?? ''));
    } catch (error) {
      throw new Error(`${name}:${index + 1}: this is no line of a session of turnwire`, { cause: error });
    }
  };
  const first = parsed(head, 0);
  return { head: first, entries: lines.slice(1).map((_line, index) => parsed(entry, index + 1)), length };
}
