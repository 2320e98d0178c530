// Items as a server gives them out and as callers hand them over; each call makes new objects.
import type { Json, JsonObject } from '../../dist/json/json.js';

export const user = (text: string): JsonObject => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text }],
});

export const reply = (text: string, id: string): JsonObject => ({
  id,
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
});

export const call = (callId: string, args: string): JsonObject => ({
  id: `fc_${callId}`,
  type: 'function_call',
  status: 'completed',
  call_id: callId,
  name: 'lookup',
  arguments: args,
});

export const result = (callId: string, output: string): JsonObject => ({
  type: 'function_call_output',
  call_id: callId,
  output,
});

export const reasoning = (id: string, encrypted: string): JsonObject => ({
  id,
  type: 'reasoning',
  summary: [],
  content: [],
  encrypted_content: encrypted,
});

/** Equal, and no object of it the same. */
export const fresh = <T extends Json>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** A field that is a string. */
export function text(value: Json | undefined): string {
  if (typeof value !== 'string') throw new TypeError(`${JSON.stringify(value)} is no string`);
  return value;
}
