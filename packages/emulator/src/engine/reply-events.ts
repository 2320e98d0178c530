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
import { endResponse, type ResponseEnd } from './response.js';
import { bytesPerToken } from '../memory/usage.js';
import type { Frame, Item, ResponseObject, Usage } from '../wire/wire.js';

/** The finished items of a reply, and the events of its whole response in the order of P54, numbered from 0 (P55). */
export interface ReplyEvents {
  readonly output: readonly Item[];
  frames(usage: Usage | null): Generator<Frame, ResponseObject>;
}

export function perform(reply: Reply, begun: ResponseObject, drafting: ItemOptions): ReplyEvents {
  const { drafts, ending } = draft(reply, drafting);
  const output = drafts.map((each) => each.final ?? each.done);
  return {
    output,
    *frames(usage) {
      const ended = endResponse(begun, output, closingOf(ending, usage));
      let sequence = 0;
      for (const step of steps(drafts, begun, ended)) {
        yield {
          type: step.type,
          text: isDelta(step) ? deltaText(step, sequence, drafting.obfuscated) : eventText(step, sequence),
        };
        sequence += 1;
      }
      return ended;
    },
  };
}

/** An event as JSON, with its number behind its type, which is its first field. */
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

/** Letters that make all deltas equally long, whatever they say (P28). */
function obfuscation(delta: string): string {
  return sha256(delta).slice(0, Math.max(0, obfuscatedLength - delta.length));
}

function* steps(
  drafts: readonly OutputItem[],
  begun: ResponseObject,
  ended: ResponseObject,
): Generator<UnnumberedEvent> {
  yield { type: 'response.created', response: begun };
  if (begun.status === 'queued') yield { type: 'response.queued', response: begun };
  yield { type: 'response.in_progress', response: { ...begun, status: 'in_progress' } };
  for (const [output_index, { added, done, progress }] of drafts.entries()) {
    yield { type: 'response.output_item.added', output_index, item: added };
    yield* progress({ item_id: String(added['id']), output_index });
    yield { type: 'response.output_item.done', output_index, item: done };
  }
  yield { type: `response.${ended.status}`, response: ended };
}

/** A warm-up (`generate: false`): created and completed, without output (P38). */
export const warmUpReply: Reply = { output: [], ending: { kind: 'completed' } };

function closingOf(ending: Reply['ending'], usage: Usage | null): ResponseEnd {
  if (ending.kind === 'completed') return { status: 'completed', usage };
  if (ending.kind === 'incomplete') return { status: 'incomplete', usage, incompleteReason: ending.reason };
  return { status: 'failed', usage: null, error: { code: ending.code, message: ending.message } };
}

interface Drafts {
  readonly drafts: readonly OutputItem[];
  readonly ending: Reply['ending'];
}

/** Drafts the items of a reply, as many as `max_output_tokens` leaves room for. */
function draft({ output, ending }: Reply, drafting: ItemOptions): Drafts {
  // Only the item the model was at when it stopped is unfinished.
  const lastStatus = ending.kind === 'completed' ? 'completed' : 'incomplete';
  const drafts: OutputItem[] = [];
  let left = drafting.maxOutputTokens * bytesPerToken;
  for (const [index, said] of output.entries()) {
    const status = index === output.length - 1 ? lastStatus : 'completed';
    const whole = draftOf(said, drafting, status, drafts);
    const bytes = left === Infinity ? 0 : Buffer.byteLength(generatedText(whole.done));
    if (bytes > left) {
      const cut = truncateTo(left, said);
      if (cut !== undefined) drafts.push(draftOf(cut, drafting, 'incomplete', drafts));
      return { drafts, ending: { kind: 'incomplete', reason: 'max_output_tokens' } };
    }
    left -= bytes;
    drafts.push(whole);
  }
  return { drafts, ending };
}

function draftOf(
  said: ReplyItem,
  drafting: ItemOptions,
  status: ItemStatus,
  before: readonly OutputItem[],
): OutputItem {
  switch (said.kind) {
    case 'reasoning':
      return reasoning(said, drafting, status);
    case 'message':
      return message(said, drafting, status);
    case 'function_call':
      return functionCall(said, drafting, status);
    case 'custom_tool_call':
      return customToolCall(said, drafting, status);
    default:
      return tool(said.item, drafting, status, before);
  }
}
