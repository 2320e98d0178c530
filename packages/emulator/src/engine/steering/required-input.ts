import { answeredKey, callKeys, isClientCall } from '../../wire/client-calls.js';
import type { Item } from '../../wire/wire.js';

/** The tool outputs that the client must send before the model can go on, as stubs without their content (P50). */
export function requiredInput(output: readonly Item[], injected: readonly Item[]): readonly Item[] {
  const answered = new Set(injected.map(answeredKey));
  const waiting = output.filter((item) => !callKeys(item).some((key) => answered.has(key)));
  return waiting.flatMap((item): readonly Item[] => {
    if (item.type === 'mcp_approval_request') {
      return [{ type: 'mcp_approval_response', approval_request_id: item['id'] }];
    }
    const { call_id } = item;
    if (item.type === 'tool_search_call' && item['execution'] === 'client') {
      return [{ type: 'tool_search_output', call_id, execution: 'client' }];
    }
    if (!isClientCall(item)) return [];
    const stub = { type: `${item.type}_output`, call_id };
    return [item.type === 'function_call' ? { ...stub, name: item['name'] } : stub];
  });
}
