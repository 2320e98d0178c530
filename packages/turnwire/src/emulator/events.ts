import type { Call, Reply } from './answer.js';
import type { Ids } from './ids.js';
import { endResponse, type Closing } from './response.js';
import type { Frame, Item, ResponseObject, Usage } from './wire.js';

/** An event before it has its number. */
type Event = { readonly type: string; readonly [field: string]: unknown };

/** A part of a reply as an item: as it stands when it is announced, the events that fill it, and as it stands when done. */
interface Draft {
  readonly added: Item;
  readonly done: Item;
  readonly between: (at: { readonly item_id: string; readonly output_index: number }) => Iterable<Event>;
}

/** The finished items of a reply, and the events of its whole response in the order of P54, numbered from 0 (P55). */
export interface Performance {
  readonly output: readonly Item[];
  frames(usage: Usage | null): Generator<Frame, ResponseObject>;
}

export function perform(reply: Reply, begun: ResponseObject, ids: Ids): Performance {
  const drafts = draft(reply, ids);
  const output = drafts.map((each) => each.done);
  return {
    output,
    *frames(usage) {
      const ended = endResponse(begun, output, closingOf(reply, usage));
      let sequence = 0;
      for (const event of events(drafts, begun, ended)) {
        const { type, ...rest } = event;
        yield { type, text: JSON.stringify({ type, sequence_number: sequence, ...rest }) };
        sequence += 1;
      }
      return ended;
    },
  };
}

function* events(drafts: readonly Draft[], begun: ResponseObject, ended: ResponseObject): Generator<Event> {
  yield { type: 'response.created', response: begun };
  yield { type: 'response.in_progress', response: begun };
  for (const [output_index, { added, done, between }] of drafts.entries()) {
    yield { type: 'response.output_item.added', output_index, item: added };
    yield* between({ item_id: String(added['id']), output_index });
    yield { type: 'response.output_item.done', output_index, item: done };
  }
  yield { type: `response.${ended.status}`, response: ended };
}

/** A warm-up (`generate: false`): created and completed, without output (P38). */
export const WARM_UP: Reply = { calls: [], ending: { kind: 'completed' } };

function closingOf({ ending }: Reply, usage: Usage | null): Closing {
  if (ending.kind === 'completed') return { status: 'completed', usage };
  if (ending.kind === 'incomplete') return { status: 'incomplete', usage, incompleteReason: ending.reason };
  return { status: 'failed', usage: null, error: { code: ending.code, message: ending.message } };
}

function draft(reply: Reply, ids: Ids): readonly Draft[] {
  // Only the item the model was at when it stopped is unfinished.
  const unfinished = reply.ending.kind === 'completed' ? 'completed' : 'incomplete';
  const drafts: Draft[] = [];
  if (reply.reasoning !== undefined) drafts.push(reasoning(reply.reasoning, ids));
  const message = reply.text !== undefined || reply.refusal !== undefined;
  if (message) drafts.push(assistantMessage(reply, ids, reply.calls.length === 0 ? unfinished : 'completed'));
  for (const [index, call] of reply.calls.entries()) {
    drafts.push(functionCall(call, ids, index === reply.calls.length - 1 ? unfinished : 'completed'));
  }
  return drafts;
}

function reasoning(text: string, ids: Ids): Draft {
  const id = ids.next('rs');
  const part = { type: 'summary_text', text };
  return {
    added: { id, type: 'reasoning', summary: [] },
    done: { id, type: 'reasoning', summary: [part] },
    *between(at) {
      const place = { ...at, summary_index: 0 };
      yield { type: 'response.reasoning_summary_part.added', ...place, part: { type: 'summary_text', text: '' } };
      for (const delta of tokens(text)) yield { type: 'response.reasoning_summary_text.delta', ...place, delta };
      yield { type: 'response.reasoning_summary_text.done', ...place, text };
      yield { type: 'response.reasoning_summary_part.done', ...place, part };
    },
  };
}

function assistantMessage({ text, refusal }: Reply, ids: Ids, status: string): Draft {
  const id = ids.next('msg');
  const parts: { readonly part: Item; readonly empty: Item; readonly stream: (place: object) => Iterable<Event> }[] =
    [];
  if (text !== undefined) {
    const part = { type: 'output_text', annotations: [], logprobs: [] };
    parts.push({ part: { ...part, text }, empty: { ...part, text: '' }, stream: (place) => outputText(text, place) });
  }
  if (refusal !== undefined) {
    parts.push({
      part: { type: 'refusal', refusal },
      empty: { type: 'refusal', refusal: '' },
      stream: (place) => refusalText(refusal, place),
    });
  }
  const message = { id, type: 'message', role: 'assistant' };
  return {
    added: { ...message, status: 'in_progress', content: [] },
    done: { ...message, status, content: parts.map((each) => each.part) },
    *between(at) {
      for (const [content_index, { part, empty, stream }] of parts.entries()) {
        const place = { ...at, content_index };
        yield { type: 'response.content_part.added', ...place, part: empty };
        yield* stream(place);
        yield { type: 'response.content_part.done', ...place, part };
      }
    },
  };
}

function* outputText(text: string, place: object): Generator<Event> {
  for (const delta of tokens(text)) yield { type: 'response.output_text.delta', ...place, delta, logprobs: [] };
  yield { type: 'response.output_text.done', ...place, text, logprobs: [] };
}

function* refusalText(refusal: string, place: object): Generator<Event> {
  for (const delta of tokens(refusal)) yield { type: 'response.refusal.delta', ...place, delta };
  yield { type: 'response.refusal.done', ...place, refusal };
}

function functionCall(call: Call, ids: Ids, status: string): Draft {
  const item = { id: ids.next('fc'), type: 'function_call', call_id: ids.next('call'), name: call.name };
  return {
    added: { ...item, status: 'in_progress', arguments: '' },
    done: { ...item, status, arguments: call.arguments },
    *between(at) {
      for (const delta of tokens(call.arguments)) {
        yield { type: 'response.function_call_arguments.delta', ...at, delta };
      }
      yield { type: 'response.function_call_arguments.done', ...at, arguments: call.arguments };
    },
  };
}

/** Word-like pieces, each with the space before it, none longer than 16 characters; together they are the text. */
function tokens(text: string): readonly string[] {
  return text.match(/\s*\S{1,16}|\s+/gu) ?? [];
}
