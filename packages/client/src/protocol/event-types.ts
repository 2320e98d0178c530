import type { ResponseEvent } from './events.js';

/** How a turn ended. `lost` is ours: no terminal event was read, so nothing is known of the end (P95). */
export type Outcome = 'completed' | 'incomplete' | 'failed' | 'cancelled' | 'lost';

/** What the engine makes of the events of one type. */
export interface EventTraits {
  /** A response ends with it, as this outcome; `error` is the end of one that may still be followed by its `response.failed`. */
  readonly terminal?: Exclude<Outcome, 'lost'> | 'error';
  /** The engine looks into it, so its JSON is parsed, also for a reader that passes text on. */
  readonly inspected?: true;
  /** The event belongs to no response: it may come while no turn runs, and before `response.created`. */
  readonly housekeeping?: true;
  /** The event shows the reader a part of the answer. */
  readonly visible?: true;
  /** The event brings headers, because a WebSocket has no other place for them. */
  readonly headers?: true;
  /** The place in an output item that the event changes. */
  readonly patch?: ItemPatch;
}

/**
 * A place in an output item, and the field of the event with the value for it: for servers that never send the finished item. A value is appended to a
 * text, set as the last word on its place, or pushed on a list.
 */
export interface ItemPatch {
  /** The type of the item; undefined where the value itself tells it. */
  readonly of?: string;
  /** The list within the item that has the place, as a path; undefined for a field of the item itself. */
  readonly list?: string;
  /** The field of the event with the index in that list. */
  readonly index?: string;
  /** The type of the list's elements, where these are parts with a type. */
  readonly part?: string;
  /** The field of the element, or of the item; undefined for the whole element or item. */
  readonly field?: string;
  readonly append?: string;
  readonly set?: string;
  readonly push?: string;
  /** Its value is an object, and each of its texts is appended to the element's field of that name. */
  readonly merge?: string;
  /** Its value is a list, whose elements take the places from the index on. */
  readonly splice?: string;
}

const lifecycle: EventTraits = { inspected: true };
const terminal = (outcome: EventTraits['terminal'] & string): EventTraits => ({
  terminal: outcome,
  inspected: true,
  visible: true,
});
const patch = (place: ItemPatch): EventTraits => ({ visible: true, patch: place });
const progress: EventTraits = { visible: true };

const part: ItemPatch = { list: 'content', index: 'content_index' };
const text: ItemPatch = { ...part, of: 'message', part: 'output_text', field: 'text' };
const refusal: ItemPatch = { ...part, of: 'message', part: 'refusal', field: 'refusal' };
const reasoning: ItemPatch = { ...part, of: 'reasoning', part: 'reasoning_text', field: 'text' };
const summaryPart: ItemPatch = { of: 'reasoning', list: 'summary', index: 'summary_index' };
const summary: ItemPatch = { ...summaryPart, part: 'summary_text', field: 'text' };
const functionArguments: ItemPatch = { of: 'function_call', field: 'arguments' };
const mcpArguments: ItemPatch = { of: 'mcp_call', field: 'arguments' };
const customInput: ItemPatch = { of: 'custom_tool_call', field: 'input' };
const code: ItemPatch = { of: 'code_interpreter_call', field: 'code' };
const audio: ItemPatch = { ...part, of: 'message', part: 'output_audio' };
const command: ItemPatch = { of: 'shell_call', list: 'action.commands', index: 'command_index' };
const shellOutput: ItemPatch = { of: 'shell_call_output', list: 'output', index: 'command_index' };

/**
 * The one table of event types. A type that is not in it is visible and not looked into where it begins with `response.`, and housekeeping otherwise.
 * How to add one: CONTRIBUTING.md.
 */
const table = {
  error: terminal('error'),
  'response.created': lifecycle,
  'response.queued': lifecycle,
  'response.in_progress': lifecycle,
  'response.completed': terminal('completed'),
  'response.incomplete': terminal('incomplete'),
  'response.failed': terminal('failed'),
  // The two types below come from gateways.
  'response.cancelled': terminal('cancelled'),
  'response.done': terminal('completed'),

  'response.output_item.added': patch({ set: 'item' }),
  'response.output_item.done': { inspected: true, visible: true },
  'response.content_part.added': patch({ ...part, set: 'part' }),
  'response.content_part.done': patch({ ...part, set: 'part' }),
  'response.output_text.delta': patch({ ...text, append: 'delta' }),
  'response.output_text.done': patch({ ...text, set: 'text' }),
  'response.output_text.annotation.added': patch({ ...text, field: 'annotations', push: 'annotation' }),
  'response.refusal.delta': patch({ ...refusal, append: 'delta' }),
  'response.refusal.done': patch({ ...refusal, set: 'refusal' }),
  'response.reasoning_text.delta': patch({ ...reasoning, append: 'delta' }),
  'response.reasoning_text.done': patch({ ...reasoning, set: 'text' }),
  'response.reasoning_summary_part.added': patch({ ...summaryPart, set: 'part' }),
  'response.reasoning_summary_part.done': patch({ ...summaryPart, set: 'part' }),
  'response.reasoning_summary_text.delta': patch({ ...summary, append: 'delta' }),
  'response.reasoning_summary_text.done': patch({ ...summary, set: 'text' }),
  'response.function_call_arguments.delta': patch({ ...functionArguments, append: 'delta' }),
  'response.function_call_arguments.done': patch({ ...functionArguments, set: 'arguments' }),
  'response.mcp_call_arguments.delta': patch({ ...mcpArguments, append: 'delta' }),
  'response.mcp_call_arguments.done': patch({ ...mcpArguments, set: 'arguments' }),
  'response.custom_tool_call_input.delta': patch({ ...customInput, append: 'delta' }),
  'response.custom_tool_call_input.done': patch({ ...customInput, set: 'input' }),
  'response.code_interpreter_call_code.delta': patch({ ...code, append: 'delta' }),
  'response.code_interpreter_call_code.done': patch({ ...code, set: 'code' }),
  'response.shell_call_command.added': patch({ ...command, set: 'command' }),
  'response.shell_call_command.delta': patch({ ...command, append: 'delta' }),
  'response.shell_call_command.done': patch({ ...command, set: 'command' }),
  'response.shell_call_output_content.delta': patch({ ...shellOutput, merge: 'delta' }),
  'response.shell_call_output_content.done': patch({ ...shellOutput, splice: 'output' }),
  'response.audio.delta': patch({ ...audio, field: 'data', append: 'delta' }),
  'response.audio.done': progress,
  'response.audio.transcript.delta': patch({ ...audio, field: 'transcript', append: 'delta' }),
  'response.audio.transcript.done': progress,

  'response.code_interpreter_call.in_progress': progress,
  'response.code_interpreter_call.interpreting': progress,
  'response.code_interpreter_call.completed': progress,
  'response.file_search_call.in_progress': progress,
  'response.file_search_call.searching': progress,
  'response.file_search_call.completed': progress,
  'response.web_search_call.in_progress': progress,
  'response.web_search_call.searching': progress,
  'response.web_search_call.completed': progress,
  'response.image_generation_call.in_progress': progress,
  'response.image_generation_call.generating': progress,
  'response.image_generation_call.completed': progress,
  'response.image_generation_call.partial_image': progress,
  'response.mcp_call.in_progress': progress,
  'response.mcp_call.completed': progress,
  'response.mcp_call.failed': progress,
  'response.mcp_list_tools.in_progress': progress,
  'response.mcp_list_tools.completed': progress,
  'response.mcp_list_tools.failed': progress,
  'response.compaction.compacting': progress,

  'response.steer.accepted': { inspected: true, visible: true },
  // What becomes of a steering may be told after its turn (P49).
  'response.steer.pending': { inspected: true, housekeeping: true },
  'response.steer.failed': { inspected: true, housekeeping: true },
} satisfies Record<ResponseEvent['type'], EventTraits>;

/** Types of the wire that are in no reference, and therefore in no type of ours (P60). */
const unlisted: Readonly<Record<string, EventTraits>> = {
  'response.metadata': { inspected: true, housekeeping: true, headers: true },
  'codex.response.metadata': { inspected: true, housekeeping: true, headers: true },
};

const unknown: EventTraits = { visible: true };
const unrelated: EventTraits = { inspected: true, housekeeping: true };
/** Some servers leave the type out of their errors. */
const untyped: EventTraits = { inspected: true, visible: true };

const known: ReadonlyMap<string, EventTraits> = new Map(Object.entries({ ...table, ...unlisted }));

let lastType: string | undefined;
let lastTraits = untyped;

/** The traits of any type, also of one that is not in the table. */
export function traitsOf(type: string | undefined): EventTraits {
  // Deltas come in runs: to compare two strings takes a third of the time of a look-up.
  if (type === lastType) return lastTraits;
  lastType = type;
  lastTraits = type === undefined ? untyped : (known.get(type) ?? (type.startsWith('response.') ? unknown : unrelated));
  return lastTraits;
}

/** Whether a name in the `event` field of a stream can be the type of its event. */
export function isEventType(name: string): boolean {
  return known.has(name) || name.startsWith('response.');
}

/**
 * What a server may say on a connection that has no turn, or before a turn's own `response.created`, without meaning any response:
 * limits, metadata, keep-alives (P60). Anything else there belongs to another response.
 */
export function isHousekeeping({ type }: { type?: unknown }): boolean {
  return typeof type === 'string' && traitsOf(type).housekeeping === true;
}
