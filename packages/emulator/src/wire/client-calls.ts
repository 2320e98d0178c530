import { isRecord, type Item } from './wire.js';

/** A kind of call that the client answers: the words the API has for both, and the fields that tie them. */
interface ClientCall {
  readonly call: string;
  readonly callKey: string;
  readonly output: string;
  readonly outputKey: string;
  readonly name: string;
  /** What a call lacks that nobody has answered, and what an answer is called that has no call. */
  readonly lacking: string;
  readonly answer: string;
}

function toolCall(call: string, keys: Partial<ClientCall> = {}): ClientCall {
  const name = call.replaceAll('_', ' ');
  return {
    call,
    callKey: 'call_id',
    output: `${call}_output`,
    outputKey: 'call_id',
    name,
    lacking: 'tool output',
    answer: `${name} output`,
    ...keys,
  };
}

const clientCalls: readonly ClientCall[] = [
  toolCall('function_call'),
  toolCall('custom_tool_call'),
  toolCall('shell_call'),
  toolCall('local_shell_call'),
  toolCall('apply_patch_call'),
  toolCall('computer_call'),
  toolCall('tool_search_call', { output: 'tool_search_output' }),
  toolCall('mcp_approval_request', {
    callKey: 'id',
    output: 'mcp_approval_response',
    outputKey: 'approval_request_id',
    name: 'MCP approval request',
    lacking: 'approval',
    answer: 'MCP approval response',
  }),
];

const byCall: ReadonlyMap<unknown, ClientCall> = new Map(clientCalls.map((kind) => [kind.call, kind]));
const byOutput: ReadonlyMap<unknown, ClientCall> = new Map(clientCalls.map((kind) => [kind.output, kind]));

/** True for a call that the client has to answer; the server answers those of a hosted shell or search itself. */
export function isClientCall(item: Item): boolean {
  if (item.type === 'tool_search_call') return item['execution'] === 'client';
  return byCall.has(item.type) && !isHosted(item);
}

/** True for the call of a hosted shell, whose output is the server's too. */
export function isHosted({ environment }: Item): boolean {
  return isRecord(environment) && environment['type'] === 'container_reference';
}

/** Under what a call can be found by its output: the API has two names for the one of a local shell. */
export function callKeys(item: Item): readonly string[] {
  const kind = byCall.get(item.type);
  if (kind === undefined) return [];
  const keys = [`${kind.call} ${String(item[kind.callKey])}`];
  if (item.type === 'local_shell_call') keys.push(`${kind.call} ${String(item['id'])}`);
  return keys;
}

/** What call an output answers, as `callKeys` says it; undefined if it is no output of the client. */
export function answeredKey(item: Item): string | undefined {
  const kind = byOutput.get(item.type);
  if (kind === undefined || (item.type === 'tool_search_output' && item['execution'] !== 'client')) return undefined;
  return `${kind.call} ${answeredId(item, kind)}`;
}

function answeredId(item: Item, { outputKey }: ClientCall): string {
  return String(item[outputKey] ?? (item.type === 'local_shell_call_output' ? item['id'] : undefined));
}

/** The API's sentence for an output whose call is not in the context. */
export function orphanOutputMessage(item: Item): string {
  const kind = byOutput.get(item.type);
  if (kind === undefined) return '';
  return `No tool call found for ${kind.answer} with ${kind.outputKey} ${answeredId(item, kind)}.`;
}

/** The API's sentence for a call that waits for a result nobody brings. */
export function danglingCallMessage(item: Item): string {
  const kind = byCall.get(item.type);
  return kind === undefined ? '' : `No ${kind.lacking} found for ${kind.name} ${String(item[kind.callKey])}.`;
}
