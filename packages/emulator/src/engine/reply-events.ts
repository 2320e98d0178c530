import { sha256 } from '../base/digest.js';
import type { Reply, ReplyItem } from '../sources/answer.js';
import { customToolCall, functionCall } from './items/call.js';
import { truncateTo } from './items/output-limits.js';
import {
  isDelta,
  type Delta,
  type OutputItem,
  type ItemOptions,
  type EventFields,
  type ItemStatus,
} from '../wire/output-item.js';
import { message } from './items/message.js';
import { reasoning } from './items/reasoning.js';
import { tool } from './items/tool.js';
import { generatedText } from '../wire/generated-text.js';
import { endResponse, nowInSeconds, type ResponseEnd } from './response.js';
import { bytesPerToken } from '../memory/usage.js';
import type { Frame, Item, ResponseObject, Usage } from '../wire/wire.js';

/** The finished items of a reply, and the events of its response. */
export interface ReplyEvents {
  readonly output: readonly Item[];
  /** All events of the response in the order of P54, numbered from 0 (P55). */
  frames(usage: Usage | null): Generator<Frame, ResponseObject>;
}

/** Turns a reply into the events that the API would send for it. `begun` is the response at its beginning. */
export function replyEvents(reply: Reply, begun: ResponseObject, options: ItemOptions): ReplyEvents {
  const { items, end } = outputItems(reply, options);
  const output = items.map((each) => each.final ?? each.done);
  let endedAt: number | undefined;
  // Events that are made again have the time at which the response first ended.
  const ended = (usage: Usage | null) =>
    endResponse(begun, output, responseEndOf(end, usage), (endedAt ??= nowInSeconds()));
  return { output, frames: (usage) => framesOf(items, begun, () => ended(usage), options) };
}

/** The events of a response. A generator at the top of its module: V8 makes a hidden class for each generator function of a turn's own. */
function* framesOf(
  items: readonly OutputItem[],
  begun: ResponseObject,
  end: () => ResponseObject,
  { obfuscated }: ItemOptions,
): Generator<Frame, ResponseObject> {
  let sequence = 0;
  const frame = (type: string, fields: string): Frame => {
    const text = `{"type":"${type}","sequence_number":${sequence}${fields}}`;
    sequence += 1;
    return { type, text };
  };
  const begunField = fieldOf('response', begun);
  yield frame('response.created', begunField);
  if (begun.status === 'queued') yield frame('response.queued', begunField);
  const running =
    begun.status === 'in_progress' ? begunField : fieldOf('response', { ...begun, status: 'in_progress' });
  yield frame('response.in_progress', running);
  for (const [index, { added, done, progress }] of items.entries()) {
    const indexField = fieldOf('output_index', index);
    yield frame('response.output_item.added', indexField + fieldOf('item', added));
    for (const event of progress({ item_id: String(added['id']), output_index: index }))
      yield frame(event.type, isDelta(event) ? deltaFields(event, obfuscated) : eventFields(event));
    yield frame('response.output_item.done', indexField + fieldOf('item', done));
  }
  const ended = end();
  yield frame(`response.${ended.status}`, fieldOf('response', ended));
  return ended;
}

/** One field as JSON, with a comma before it. */
function fieldOf(name: string, value: unknown): string {
  return `,"${name}":${JSON.stringify(value)}`;
}

/** The fields of an event as JSON, each with a comma before it. The type, its first field, is left out. */
function eventFields(event: EventFields): string {
  return JSON.stringify(event).slice('{"type":""'.length + event.type.length, -1);
}

function deltaFields({ delta, before, after }: Delta, obfuscated: boolean): string {
  const padding = obfuscated ? fieldOf('obfuscation', obfuscation(delta)) : '';
  return `${before}${fieldOf('delta', delta)}${after}${padding}`;
}

const obfuscatedLength = 16;

/** Padding that makes all deltas equally long (P28). */
function obfuscation(delta: string): string {
  return sha256(delta).slice(0, Math.max(0, obfuscatedLength - delta.length));
}

/** The reply to a warm-up (`generate: false`): created and completed, without output (P38). */
export const warmUpReply: Reply = { output: [], end: { kind: 'completed' } };

function responseEndOf(end: Reply['end'], usage: Usage | null): ResponseEnd {
  if (end.kind === 'completed') return { status: 'completed', usage };
  if (end.kind === 'incomplete') return { status: 'incomplete', usage, incompleteReason: end.reason };
  return { status: 'failed', usage: null, error: { code: end.code, message: end.message } };
}

/** The items of a reply that `max_output_tokens` leaves room for, and how the response ends with them. */
interface CutReply {
  readonly items: readonly OutputItem[];
  readonly end: Reply['end'];
}

/** Makes the output items of a reply, as many as `max_output_tokens` leaves room for. */
function outputItems({ output, end }: Reply, options: ItemOptions): CutReply {
  // Only the item that the model was writing when it stopped is unfinished.
  const lastStatus = end.kind === 'completed' ? 'completed' : 'incomplete';
  const items: OutputItem[] = [];
  let remaining = options.maxOutputTokens * bytesPerToken;
  for (const [index, replyItem] of output.entries()) {
    const status = index === output.length - 1 ? lastStatus : 'completed';
    const item = outputItemOf(replyItem, options, status, items);
    const bytes = remaining === Infinity ? 0 : Buffer.byteLength(generatedText(item.done));
    if (bytes > remaining) {
      const cut = truncateTo(remaining, replyItem);
      if (cut !== undefined) items.push(outputItemOf(cut, options, 'incomplete', items));
      return { items, end: { kind: 'incomplete', reason: 'max_output_tokens' } };
    }
    remaining -= bytes;
    items.push(item);
  }
  return { items, end };
}

function outputItemOf(
  replyItem: ReplyItem,
  options: ItemOptions,
  status: ItemStatus,
  before: readonly OutputItem[],
): OutputItem {
  switch (replyItem.kind) {
    case 'reasoning':
      return reasoning(replyItem, options, status);
    case 'message':
      return message(replyItem, options, status);
    case 'function_call':
      return functionCall(replyItem, options, status);
    case 'custom_tool_call':
      return customToolCall(replyItem, options, status);
    default:
      return tool(replyItem.item, options, status, before);
  }
}
