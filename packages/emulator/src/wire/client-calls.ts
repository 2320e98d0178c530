import { isRecord, type Item } from './wire.js';

/** A kind of call that the client answers: the API's names of the call and of its output, and the fields that link the two. */
interface ClientCall {
  readonly call: string;
  readonly callKey: string;
  readonly output: string;
  readonly outputKey: string;
  readonly name: string;
  /** How the API's errors name the missing output of a call (`lacking`), and an output without a call (`answer`). */
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

/** True for a call that the client has to answer. The server itself answers the calls of a hosted shell or search. */
export function isClientCall(item: Item): boolean {
  if (item.type === 'tool_search_call') return item['execution'] === 'client';
  return byCall.has(item.type) && !isHosted(item);
}

/** True for the call of a hosted shell, whose output the server makes. */
export function isHosted({ environment }: Item): boolean {
  return isRecord(environment) && environment['type'] === 'container_reference';
}

/** The keys under which the output of a call finds the call. The call of a local shell has two, because the API names it in two ways. */
export function callKeys(item: Item): readonly string[] {
  const kind = byCall.get(item.type);
  if (kind === undefined) return [];
  const keys = [`${kind.call} ${String(item[kind.callKey])}`];
  if (item.type === 'local_shell_call') keys.push(`${kind.call} ${String(item['id'])}`);
  return keys;
}

/** The key of the call that an output answers, as in `callKeys`; undefined if the item is no output of the client. */
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

/** The API's sentence for a call whose output is missing in the context. */
export function danglingCallMessage(item: Item): string {
  const kind = byCall.get(item.type);
  return kind === undefined ? '' : `No ${kind.lacking} found for ${kind.name} ${String(item[kind.callKey])}.`;
}
