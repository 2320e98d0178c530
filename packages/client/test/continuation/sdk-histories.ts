// How each SDK puts the output of a turn into the history of the next one (docs/continuation.md), written from what was seen of them.
import { fresh, text } from './items.js';
import type { Json, JsonObject } from '../../dist/json/json.js';

export interface SdkHistory {
  name: string;
  /** Only with `store: true` can it refer to what the server has. */
  stored: 'only' | 'never' | 'either';
  /** `done` is the item of its `output_item.done`, `terminal` the one of the terminal response. */
  handBack(done: JsonObject, terminal: JsonObject): Json;
}

/** Parsed, and written again in the order of the tool's schema: here, that of the alphabet from its end. */
function rewritten(args: Json | undefined): string {
  const parsed = JSON.parse(text(args)) as JsonObject;
  return JSON.stringify(Object.fromEntries(Object.entries(parsed).sort(([a], [b]) => (a < b ? 1 : -1))));
}

function bareCall({ type, call_id: callId = null, name = null, arguments: args }: JsonObject): JsonObject {
  return { type: type ?? null, call_id: callId, name, arguments: rewritten(args) };
}

const texts = (item: JsonObject): JsonObject[] => (item['content'] ?? []) as JsonObject[];

export const sdkHistories: readonly SdkHistory[] = [
  { name: 'openai create, Agents SDK, LangChain', stored: 'either', handBack: (_, terminal) => fresh(terminal) },
  {
    name: 'openai stream',
    stored: 'either',
    handBack(_, terminal) {
      const item = fresh(terminal);
      if (item['type'] === 'function_call') item['parsed_arguments'] = null;
      if (item['type'] === 'message') {
        for (const part of texts(item)) if (part['type'] === 'output_text') part['parsed'] = null;
      }
      return item;
    },
  },
  {
    name: 'AI SDK, stored',
    stored: 'only',
    handBack(done) {
      if (done['type'] === 'function_call') return bareCall(done);
      return { type: 'item_reference', id: done['id'] ?? null };
    },
  },
  {
    name: 'AI SDK, not stored',
    stored: 'never',
    handBack(done) {
      if (done['type'] === 'function_call') return bareCall(done);
      if (done['type'] === 'message')
        return {
          role: 'assistant',
          content: texts(done)
            .map((part) => text(part['text']))
            .join(''),
        };
      const { type, id, encrypted_content: encrypted, summary } = fresh(done);
      return { type: type ?? null, id: id ?? null, encrypted_content: encrypted ?? null, summary: summary ?? [] };
    },
  },
  {
    name: 'AI SDK, xAI',
    stored: 'only',
    handBack(done) {
      if (done['type'] === 'function_call')
        return { ...bareCall(done), id: done['call_id'] ?? null, status: 'completed' };
      if (done['type'] === 'message')
        return {
          role: 'assistant',
          content: texts(done)
            .map((part) => text(part['text']))
            .join(''),
          id: done['id'] ?? null,
        };
      const { type, id, encrypted_content: encrypted, summary } = fresh(done);
      return {
        type: type ?? null,
        id: id ?? null,
        summary: summary ?? [],
        status: 'completed',
        encrypted_content: encrypted ?? null,
      };
    },
  },
  {
    name: 'AI SDK, not stored, texts as parts',
    stored: 'never',
    handBack(done) {
      if (done['type'] === 'function_call') return bareCall(done);
      if (done['type'] !== 'message') return fresh(done);
      return {
        role: 'assistant',
        content: texts(done).map((part) => ({ type: 'output_text', text: part['text'] ?? '' })),
      };
    },
  },
];
