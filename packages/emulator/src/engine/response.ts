import type { CreateRequest } from '../request/request.js';
import type { Item, ResponseObject, Usage } from '../wire/wire.js';

/** How a response ends: the fields that its terminal event sets, beside the output. */
export interface ResponseEnd {
  readonly status: 'completed' | 'incomplete' | 'failed';
  readonly usage: Usage | null;
  readonly error?: { readonly code: string; readonly message: string };
  readonly incompleteReason?: string;
}

/**
 * The response object at the beginning of a turn: all 31 keys of P115, with the values of the request or the API's defaults. `created_at` is
 * in seconds.
 */
export function beginResponse(id: string, request: CreateRequest): ResponseObject {
  return {
    id,
    object: 'response',
    created_at: nowInSeconds(),
    completed_at: null,
    status: request.background === true ? 'queued' : 'in_progress',
    background: request.background ?? false,
    error: null,
    incomplete_details: null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    model: request.model,
    output: [],
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    presence_penalty: request.presence_penalty ?? 0,
    frequency_penalty: request.frequency_penalty ?? 0,
    previous_response_id: request.previous_response_id ?? null,
    prompt_cache_key: request.prompt_cache_key ?? null,
    reasoning: { effort: null, summary: null, ...definedFields(request.reasoning) },
    safety_identifier: request.safety_identifier ?? null,
    service_tier: (request.service_tier ?? 'auto') === 'auto' ? 'default' : request.service_tier,
    store: request.store ?? true,
    temperature: request.temperature ?? 1,
    text: { verbosity: 'medium', ...definedFields(request.text), format: textFormat(request) },
    tool_choice: request.tool_choice ?? 'auto',
    tools: (request.tools ?? []).map(echoTool),
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? 1,
    truncation: request.truncation ?? 'disabled',
    usage: null,
    metadata: request.metadata ?? {},
    ...(request.moderation === undefined ? {} : { moderation: unflaggedModeration(request.moderation.model) }),
    ...(request.conversationId === undefined ? {} : { conversation: { id: request.conversationId } }),
    ...echoed(request),
  };
}

/** The fields that a response has only if its request has them. */
const echoedFields = [
  'access_programs',
  'context_management',
  'image',
  'prompt',
  'prompt_cache_options',
  'prompt_cache_retention',
  'user',
] as const;

function echoed(request: CreateRequest): object {
  const fields: Record<string, unknown> = {};
  for (const field of echoedFields) if (request[field] !== undefined) fields[field] = request[field];
  return fields;
}

/** The result of moderation for the input and the output: nothing is flagged, because the emulator does not moderate. */
function unflaggedModeration(model: string): object {
  const result = {
    type: 'moderation_result',
    model,
    flagged: false,
    categories: {},
    category_scores: {},
    category_applied_input_types: {},
  };
  return { input: result, output: result };
}

/** An object without the fields that are undefined. */
function definedFields(fields: object | undefined): object {
  if (fields === undefined) return {};
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The response object at the end of a turn. `at` is its time in seconds since 1970. */
export function endResponse(
  begun: ResponseObject,
  output: readonly Item[],
  end: ResponseEnd,
  at = nowInSeconds(),
): ResponseObject {
  return {
    ...begun,
    status: end.status,
    completed_at: end.status === 'completed' ? at : null,
    error: end.error ?? null,
    incomplete_details: end.incompleteReason === undefined ? null : { reason: end.incompleteReason },
    output,
    usage: end.usage,
  };
}

/** The text format of the request, with the API's defaults. */
function textFormat({ text }: CreateRequest): unknown {
  const format = text?.format ?? { type: 'text' };
  return format['type'] === 'json_schema' ? { description: null, strict: false, ...format } : format;
}

function echoTool(tool: { readonly type: string }): unknown {
  return tool.type === 'function' ? { description: null, parameters: null, strict: true, ...tool } : tool;
}

export function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
