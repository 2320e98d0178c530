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
  type UnnumberedEvent,
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
  return {
    output,
    *frames(usage) {
      // Events that are made again have the time at which the response first ended.
      let ended = begun;
      const endNow = () => {
        endedAt ??= nowInSeconds();
        ended = endResponse(begun, output, responseEndOf(end, usage), endedAt);
        return ended;
      };
      let sequence = 0;
      for (const step of unnumberedEvents(items, begun, endNow)) {
        yield {
          type: step.type,
          text: isDelta(step) ? deltaText(step, sequence, options.obfuscated) : eventText(step, sequence),
        };
        sequence += 1;
      }
      return ended;
    },
  };
}

/** An event as JSON, with its sequence number after its first field, the type. */
function eventText(event: EventFields, sequence: number): string {
  const text = JSON.stringify(event);
  const at = event.type.length + typeFieldLength;
  return `${text.slice(0, at)},"sequence_number":${sequence}${text.slice(at)}`;
}

function deltaText({ type, delta, before, after }: Delta, sequence: number, obfuscated: boolean): string {
  const padding = obfuscated ? `,"obfuscation":"${obfuscation(delta)}"` : '';
  return `{"type":"${type}","sequence_number":${sequence}${before},"delta":${JSON.stringify(delta)}${after}${padding}}`;
}

const typeFieldLength = '{"type":""'.length;

const obfuscatedLength = 16;

/** Padding that makes all deltas equally long (P28). */
function obfuscation(delta: string): string {
  return sha256(delta).slice(0, Math.max(0, obfuscatedLength - delta.length));
}

function* unnumberedEvents(
  items: readonly OutputItem[],
  begun: ResponseObject,
  end: () => ResponseObject,
): Generator<UnnumberedEvent> {
  yield { type: 'response.created', response: begun };
  if (begun.status === 'queued') yield { type: 'response.queued', response: begun };
  yield { type: 'response.in_progress', response: { ...begun, status: 'in_progress' } };
  for (const [output_index, { added, done, progress }] of items.entries()) {
    yield { type: 'response.output_item.added', output_index, item: added };
    yield* progress({ item_id: String(added['id']), output_index });
    yield { type: 'response.output_item.done', output_index, item: done };
  }
  const ended = end();
  yield { type: `response.${ended.status}`, response: ended };
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
