import type { ContentPart, Item } from './items.js';
import type { Response } from './response.js';

/**
 * The events of a response, as the service's reference has them. Every event that a server sends is handed over as it came, also those of types
 * that are not in this union (a newer API, a gateway's own): at run time `event.type` may be any string, so give every `switch`
 * a `default`. They are left out of the type because a member `{ type: string }` would switch off narrowing for all others.
 */
export type ResponseEvent =
  | LifecycleEvent
  | ItemEvent
  | ContentPartEvent
  | TextDeltaEvent
  | TextDoneEvent
  | RefusalDoneEvent
  | AnnotationEvent
  | SummaryPartEvent
  | SummaryTextDeltaEvent
  | SummaryTextDoneEvent
  | ArgumentsDeltaEvent
  | ArgumentsDoneEvent
  | CustomInputDeltaEvent
  | CustomInputDoneEvent
  | CodeDeltaEvent
  | CodeDoneEvent
  | ShellCommandEvent
  | ShellCommandDeltaEvent
  | ShellOutputDeltaEvent
  | ShellOutputDoneEvent
  | AudioDeltaEvent
  | AudioDoneEvent
  | ProgressEvent
  | PartialImageEvent
  | SteerEvent
  | ErrorEvent;

interface Base {
  sequence_number?: number;
  /** Only on named lanes (P42). */
  stream_id?: string;
  /** Random padding of delta events (P28). */
  obfuscation?: string;
}

export interface LifecycleEvent extends Base {
  type: `response.${'created' | 'queued' | 'in_progress' | 'completed' | 'failed' | 'incomplete' | 'done' | 'cancelled'}`;
  response: Response;
}

export interface ItemEvent extends Base {
  type: `response.output_item.${'added' | 'done'}`;
  output_index: number;
  item: Item;
}

interface InItem extends Base {
  item_id: string;
  output_index: number;
}

interface InContent extends InItem {
  content_index: number;
}

export interface ContentPartEvent extends InContent {
  type: `response.content_part.${'added' | 'done'}`;
  part: ContentPart;
}

export interface TextDeltaEvent extends InContent {
  type: `response.${'output_text' | 'refusal' | 'reasoning_text'}.delta`;
  delta: string;
  logprobs?: unknown[];
}

export interface TextDoneEvent extends InContent {
  type: `response.${'output_text' | 'reasoning_text'}.done`;
  text: string;
  logprobs?: unknown[];
}

export interface RefusalDoneEvent extends InContent {
  type: 'response.refusal.done';
  refusal: string;
}

export interface AnnotationEvent extends InContent {
  type: 'response.output_text.annotation.added';
  annotation_index: number;
  annotation: unknown;
}

interface InSummary extends InItem {
  summary_index: number;
}

export interface SummaryPartEvent extends InSummary {
  type: `response.reasoning_summary_part.${'added' | 'done'}`;
  part: ContentPart;
}

export interface SummaryTextDeltaEvent extends InSummary {
  type: 'response.reasoning_summary_text.delta';
  delta: string;
}

export interface SummaryTextDoneEvent extends InSummary {
  type: 'response.reasoning_summary_text.done';
  text: string;
}

export interface ArgumentsDeltaEvent extends InItem {
  type: `response.${'function_call' | 'mcp_call'}_arguments.delta`;
  delta: string;
}

export interface ArgumentsDoneEvent extends InItem {
  type: `response.${'function_call' | 'mcp_call'}_arguments.done`;
  arguments: string;
}

export interface CustomInputDeltaEvent extends InItem {
  type: 'response.custom_tool_call_input.delta';
  delta: string;
}

export interface CustomInputDoneEvent extends InItem {
  type: 'response.custom_tool_call_input.done';
  input: string;
}

export interface CodeDeltaEvent extends InItem {
  type: 'response.code_interpreter_call_code.delta';
  delta: string;
}

export interface CodeDoneEvent extends InItem {
  type: 'response.code_interpreter_call_code.done';
  code: string;
}

/** One command of a `shell_call`, which the event names by its index alone. */
interface InCommand extends Base {
  output_index: number;
  command_index: number;
}

export interface ShellCommandEvent extends InCommand {
  type: `response.shell_call_command.${'added' | 'done'}`;
  command: string;
}

export interface ShellCommandDeltaEvent extends InCommand {
  type: 'response.shell_call_command.delta';
  delta: string;
}

export interface ShellOutputDeltaEvent extends InItem {
  type: 'response.shell_call_output_content.delta';
  command_index: number;
  delta: { stdout?: string; stderr?: string };
}

export interface ShellOutputDoneEvent extends InItem {
  type: 'response.shell_call_output_content.done';
  command_index: number;
  output: unknown[];
}

/** Spoken output: base64, or what was said in words. It names no item. */
export interface AudioDeltaEvent extends Base {
  type: `response.audio.${'delta' | 'transcript.delta'}`;
  delta: string;
}

export interface AudioDoneEvent extends Base {
  type: `response.audio.${'done' | 'transcript.done'}`;
}

/** A hosted tool says how far it is; it carries no content. */
export interface ProgressEvent extends InItem {
  type:
    | `response.code_interpreter_call.${'in_progress' | 'interpreting' | 'completed'}`
    | `response.file_search_call.${'in_progress' | 'searching' | 'completed'}`
    | `response.web_search_call.${'in_progress' | 'searching' | 'completed'}`
    | `response.image_generation_call.${'in_progress' | 'generating' | 'completed'}`
    | `response.mcp_call.${'in_progress' | 'completed' | 'failed'}`
    | `response.mcp_list_tools.${'in_progress' | 'completed' | 'failed'}`
    | 'response.compaction.compacting';
}

export interface PartialImageEvent extends InItem {
  type: 'response.image_generation_call.partial_image';
  partial_image_b64: string;
  partial_image_index: number;
}

/**
 * What the server says to `turn.steer()` (P48–P51): it has the input; or it waits with it for the client's own results; or it gives the
 * input back.
 */
export interface SteerEvent extends Base {
  type: `response.steer.${'accepted' | 'pending' | 'failed'}`;
  steer: { id?: string; previous_response_id: string; input?: unknown };
  /** With `pending`; an open list. */
  reason?: string;
  /** With `pending`: stubs of the items that the next request must bring (P50). */
  required_input?: readonly unknown[];
  /** With `failed`. */
  error?: { type?: string; code?: string; message?: string };
}

/** A refusal or a failure of the turn; in one of the shapes that servers give it. `TurnwireError.server` is the same, made uniform. */
export interface ErrorEvent extends Base {
  type: 'error';
  code?: string | null;
  message?: string;
  param?: string | null;
  status?: number;
  error?: unknown;
}
