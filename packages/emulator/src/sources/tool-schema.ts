import { z } from 'zod';

const text = z.string();
const nonEmptyText = z.string().min(1);
const anyRecord = z.record(z.string(), z.unknown());
const point = { x: z.number(), y: z.number() };
/** The arguments of a call: an object, or the JSON that the model writes. */
const callArguments = z.union([anyRecord, text]).default({});
const callId = nonEmptyText.optional().describe('made up if left out');
const as = z
  .string()
  .regex(/^[\w-]+$/, 'must be letters, digits, "_" or "-", so that a template can name it')
  .optional()
  .describe('a name under which later templates find the output of this call');

/** An annotation of a text, with the API's own fields. Without indices it spans the whole text. */
export const annotationSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('url_citation'),
    url: nonEmptyText,
    title: text.default(''),
    start_index: z.int().min(0).default(0),
    end_index: z.int().min(0).optional(),
  }),
  z.strictObject({
    type: z.literal('file_citation'),
    file_id: nonEmptyText,
    filename: nonEmptyText,
    index: z.int().min(0).default(0),
  }),
  z.strictObject({
    type: z.literal('container_file_citation'),
    container_id: nonEmptyText,
    file_id: nonEmptyText,
    filename: nonEmptyText,
    start_index: z.int().min(0).default(0),
    end_index: z.int().min(0).optional(),
  }),
  z.strictObject({ type: z.literal('file_path'), file_id: nonEmptyText, index: z.int().min(0).default(0) }),
]);

const searchAction = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('search'),
    query: text.optional(),
    queries: z.array(text).optional(),
    sources: z.array(z.strictObject({ type: z.literal('url').default('url'), url: nonEmptyText })).optional(),
  }),
  z.strictObject({ type: z.literal('open_page'), url: nonEmptyText.optional() }),
  z.strictObject({ type: z.literal('find_in_page'), url: nonEmptyText, pattern: text }),
]);

const computerAction = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('click'), button: z.enum(['left', 'right', 'wheel', 'back', 'forward']), ...point }),
  z.strictObject({ type: z.literal('double_click'), keys: z.array(text).nullable().default(null), ...point }),
  z.strictObject({ type: z.literal('drag'), path: z.array(z.strictObject(point)) }),
  z.strictObject({ type: z.literal('keypress'), keys: z.array(text) }),
  z.strictObject({ type: z.literal('move'), ...point }),
  z.strictObject({ type: z.literal('screenshot') }),
  z.strictObject({ type: z.literal('scroll'), scroll_x: z.number(), scroll_y: z.number(), ...point }),
  z.strictObject({ type: z.literal('type'), text }),
  z.strictObject({ type: z.literal('wait') }),
]);

const execution = z.enum(['server', 'client']).default('server');

/**
 * The items of tools that the service knows by name, as a script writes them, with the API's own fields. The emulator makes up ids, `status`,
 * `call_id` and other fields that are left out.
 */
export const toolSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('web_search_call'), action: searchAction }),
  z.strictObject({
    type: z.literal('file_search_call'),
    queries: z.array(text),
    results: z.array(anyRecord).optional().describe('sent only if the request includes file_search_call.results'),
  }),
  z.strictObject({
    type: z.literal('code_interpreter_call'),
    code: text,
    container_id: nonEmptyText.optional(),
    outputs: z
      .array(
        z.discriminatedUnion('type', [
          z.strictObject({ type: z.literal('logs'), logs: text }),
          z.strictObject({ type: z.literal('image'), url: nonEmptyText }),
        ]),
      )
      .default([])
      .describe('sent only if the request includes code_interpreter_call.outputs'),
  }),
  z.strictObject({
    type: z.literal('image_generation_call'),
    result: text.describe('the image in base64'),
    partial_images: z.array(text).default([]).describe('previews in base64, each an event before the result'),
    background: text.optional(),
    output_format: text.optional(),
    quality: text.optional(),
    size: text.optional(),
    revised_prompt: text.optional(),
  }),
  z.strictObject({
    type: z.literal('mcp_list_tools'),
    server_label: nonEmptyText,
    tools: z
      .array(
        z.strictObject({
          name: nonEmptyText,
          description: text.nullable().default(null),
          input_schema: anyRecord.default({ type: 'object', properties: {} }),
          annotations: anyRecord.nullable().default(null),
        }),
      )
      .default([]),
    error: nonEmptyText.optional(),
  }),
  z.strictObject({
    type: z.literal('mcp_call'),
    server_label: nonEmptyText,
    name: nonEmptyText,
    arguments: callArguments,
    output: text.optional(),
    error: nonEmptyText.optional().describe('the error with which the tool failed'),
    approval_request_id: nonEmptyText.optional(),
  }),
  z.strictObject({
    type: z.literal('mcp_approval_request'),
    server_label: nonEmptyText,
    name: nonEmptyText,
    arguments: callArguments,
  }),
  z.strictObject({
    type: z.literal('shell_call'),
    as,
    call_id: callId,
    commands: z.array(text).min(1),
    container_id: nonEmptyText.optional().describe('a hosted shell; without one the client runs the commands'),
    timeout_ms: z.int().positive().nullable().default(null),
    max_output_length: z.int().positive().nullable().default(null),
  }),
  z.strictObject({
    type: z.literal('shell_call_output'),
    call_id: nonEmptyText.optional().describe('the id of the shell_call before it, if left out'),
    output: z.array(
      z.strictObject({ stdout: text.default(''), stderr: text.default(''), exit_code: z.int().default(0) }),
    ),
  }),
  z.strictObject({
    type: z.literal('apply_patch_call'),
    as,
    call_id: callId,
    operation: z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('create_file'), path: nonEmptyText, diff: text }),
      z.strictObject({ type: z.literal('update_file'), path: nonEmptyText, diff: text }),
      z.strictObject({ type: z.literal('delete_file'), path: nonEmptyText }),
    ]),
  }),
  z.strictObject({
    type: z.literal('computer_call'),
    as,
    call_id: callId,
    actions: z.array(computerAction).min(1),
    pending_safety_checks: z
      .array(z.strictObject({ id: nonEmptyText, code: text.optional(), message: text.optional() }))
      .default([]),
  }),
  z.strictObject({ type: z.literal('tool_search_call'), call_id: callId, arguments: anyRecord.default({}), execution }),
  z.strictObject({ type: z.literal('tool_search_output'), tools: z.array(anyRecord), execution }),
  z.strictObject({ type: z.literal('compaction') }),
]);

export type Annotation = z.output<typeof annotationSchema>;
export type ToolItem = z.output<typeof toolSchema>;
