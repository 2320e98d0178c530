import type { IdPrefix } from '../../wire/ids.js';
import type { Item } from '../../wire/wire.js';
import { compaction } from '../../memory/compaction.js';
import {
  textEvents,
  type OutputItem,
  type ItemOptions,
  type ItemStatus,
  type ItemPosition,
  type UnnumberedEvent,
} from '../../wire/output-item.js';
import type { ToolItem } from '../../sources/tool-schema.js';

/** The item of a tool without its id and type: how it is announced, how it is when done, and the events between. */
interface ToolItemStates {
  readonly prefix: IdPrefix;
  readonly added: object;
  readonly done: object;
  readonly progress?: (at: ItemPosition) => Iterable<UnnumberedEvent>;
}

/** The item of a tool that the service knows by name, with its progress events (P59). `before` has the output items that precede it. */
export function tool(
  item: ToolItem,
  options: ItemOptions,
  status: ItemStatus,
  before: readonly OutputItem[],
): OutputItem {
  if (item.type === 'compaction') return compaction(options);
  const { prefix, added, done, progress = () => [] } = statesOf(item, options, status, before);
  const named = { id: options.ids.next(prefix), type: item.type };
  return { added: { ...named, ...added }, done: { ...named, ...done }, progress };
}

type DraftableTool = Exclude<ToolItem, { readonly type: 'compaction' }>;

function statesOf(
  item: DraftableTool,
  options: ItemOptions,
  status: ItemStatus,
  before: readonly OutputItem[],
): ToolItemStates {
  const { ids, include } = options;
  const inProgress = { status: 'in_progress' };
  switch (item.type) {
    case 'web_search_call':
      return {
        prefix: 'ws',
        added: inProgress,
        done: { status, action: visibleAction(item.action, include) },
        progress: progressEvents(item.type, 'in_progress', 'searching', 'completed'),
      };
    case 'file_search_call': {
      const results = include.has('file_search_call.results') ? (item.results ?? []) : null;
      return {
        prefix: 'fs',
        added: { ...inProgress, queries: [], results: null },
        done: { status, queries: item.queries, results },
        progress: progressEvents(item.type, 'in_progress', 'searching', 'completed'),
      };
    }
    case 'code_interpreter_call': {
      const container = { container_id: item.container_id ?? ids.next('cntr') };
      const isIncluded = include.has('code_interpreter_call.outputs');
      return {
        prefix: 'ci',
        added: { ...inProgress, code: '', ...container, outputs: isIncluded ? [] : null },
        done: { status, code: item.code, ...container, outputs: isIncluded ? item.outputs : null },
        *progress(at) {
          yield { type: 'response.code_interpreter_call.in_progress', ...at };
          yield* textEvents('response.code_interpreter_call_code', 'code', item.code, at);
          yield* progressEvents(item.type, 'interpreting', 'completed')(at);
        },
      };
    }
    case 'image_generation_call': {
      const { type, partial_images: partialImages, result, revised_prompt, ...settings } = item;
      return {
        prefix: 'ig',
        added: inProgress,
        done: { status, ...settings, result, ...(revised_prompt === undefined ? {} : { revised_prompt }) },
        *progress(at) {
          yield* progressEvents(type, 'in_progress', 'generating')(at);
          for (const [partial_image_index, partial_image_b64] of partialImages.entries()) {
            const partial = { partial_image_index, partial_image_b64 };
            yield { type: 'response.image_generation_call.partial_image', ...at, ...partial, ...settings };
          }
          yield* progressEvents(type, 'completed')(at);
        },
      };
    }
    case 'mcp_list_tools': {
      const { server_label, tools, error } = item;
      return {
        prefix: 'mcpl',
        added: { server_label, tools: [] },
        done: { server_label, tools, ...(error === undefined ? {} : { error }) },
        progress: progressEvents(item.type, 'in_progress', error === undefined ? 'completed' : 'failed'),
      };
    }
    case 'mcp_call': {
      const { server_label, name, output = null, error, approval_request_id = null } = item;
      const call = { server_label, name, approval_request_id };
      const text = jsonOf(item.arguments);
      const failure = error === undefined ? null : { type: 'mcp_tool_execution_error', content: error };
      return {
        prefix: 'mcp',
        added: { ...inProgress, ...call, arguments: '', output: null, error: null },
        done: { status: failure === null ? status : 'failed', ...call, arguments: text, output, error: failure },
        *progress(at) {
          yield { type: 'response.mcp_call.in_progress', ...at };
          yield* textEvents('response.mcp_call_arguments', 'arguments', text, at);
          yield* progressEvents(item.type, failure === null ? 'completed' : 'failed')(at);
        },
      };
    }
    case 'mcp_approval_request': {
      const request = { server_label: item.server_label, name: item.name, arguments: jsonOf(item.arguments) };
      return { prefix: 'mcpr', added: request, done: request };
    }
    case 'shell_call': {
      const { commands, timeout_ms, max_output_length, container_id } = item;
      const call = {
        call_id: item.call_id ?? ids.next('call'),
        environment: container_id === undefined ? { type: 'local' } : { type: 'container_reference', container_id },
      };
      const limits = { timeout_ms, max_output_length };
      return {
        prefix: 'sh',
        added: { ...inProgress, ...call, action: { commands: [], ...limits } },
        done: { status, ...call, action: { commands, ...limits } },
        // The events of shell commands name no item (P59).
        *progress({ output_index }) {
          for (const [command_index, command] of commands.entries()) {
            const at = { output_index, command_index };
            yield { type: 'response.shell_call_command.added', ...at, command: '' };
            yield* textEvents('response.shell_call_command', 'command', command, at);
          }
        },
      };
    }
    case 'shell_call_output': {
      const output = item.output.map(({ stdout, stderr, exit_code }) => ({
        stdout,
        stderr,
        outcome: { type: 'exit', exit_code },
      }));
      const call_id = item.call_id ?? before.findLast(({ done }) => done.type === 'shell_call')?.done['call_id'];
      const call = { call_id: call_id ?? ids.next('call'), max_output_length: null };
      return {
        prefix: 'sho',
        added: { ...inProgress, ...call, output: [] },
        done: { status, ...call, output },
        *progress(at) {
          for (const [command_index, { stdout, stderr }] of output.entries()) {
            const place = { ...at, command_index };
            const type = 'response.shell_call_output_content';
            if (stdout !== '') yield { type: `${type}.delta`, ...place, delta: { stdout } };
            if (stderr !== '') yield { type: `${type}.delta`, ...place, delta: { stderr } };
            yield { type: `${type}.done`, ...place, output: output.slice(command_index, command_index + 1) };
          }
        },
      };
    }
    case 'apply_patch_call': {
      const call = { call_id: item.call_id ?? ids.next('call'), operation: item.operation };
      return { prefix: 'apc', added: { ...inProgress, ...call }, done: { status, ...call } };
    }
    case 'computer_call': {
      const { actions, pending_safety_checks } = item;
      const call = { call_id: item.call_id ?? ids.next('call'), actions, pending_safety_checks };
      return { prefix: 'cu', added: { ...inProgress, ...call }, done: { status, ...call } };
    }
    case 'tool_search_call': {
      const { execution } = item;
      const call = { call_id: execution === 'client' ? (item.call_id ?? ids.next('call')) : null, execution };
      return {
        prefix: 'tsc',
        added: { ...inProgress, ...call, arguments: {} },
        done: { status, ...call, arguments: item.arguments },
      };
    }
    default: {
      const found = { call_id: null, execution: item.execution, tools: item.tools };
      return { prefix: 'tso', added: { ...inProgress, ...found }, done: { status, ...found } };
    }
  }
}

/** Progress events that have no field but those that name the item. */
function progressEvents(type: string, ...names: readonly string[]): (at: ItemPosition) => Iterable<UnnumberedEvent> {
  return (at) => names.map((name) => ({ type: `response.${type}.${name}`, ...at }));
}

type SearchAction = Extract<ToolItem, { readonly type: 'web_search_call' }>['action'];

function visibleAction(action: SearchAction, include: ReadonlySet<string>): object {
  if (action.type !== 'search' || include.has('web_search_call.action.sources')) return action;
  const { sources: _, ...visible } = action;
  return visible;
}

function jsonOf(given: string | Item): string {
  return typeof given === 'string' ? given : JSON.stringify(given);
}
