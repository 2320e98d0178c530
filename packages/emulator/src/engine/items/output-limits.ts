import { TextDecoder } from 'node:util';
import type { Reply, ReplyItem } from '../../sources/answer.js';

/** The beginning of a text, at most `bytes` bytes long in UTF-8 and never ending within a character. */
function truncateUtf8(text: string, bytes: number): string {
  return new TextDecoder().decode(Buffer.from(text).subarray(0, bytes)).replace(/\uFFFD+$/, '');
}

/** An item of a reply cut to `bytes` bytes of generated text; undefined if not even its beginning fits. */
export function truncateTo(bytes: number, replyItem: ReplyItem): ReplyItem | undefined {
  switch (replyItem.kind) {
    case 'message': {
      // The refusal follows the text, so it is cut first.
      const text = replyItem.text === undefined ? undefined : truncateUtf8(replyItem.text, bytes);
      const remaining = bytes - Buffer.byteLength(text ?? '');
      const refusal = replyItem.refusal === undefined ? undefined : truncateUtf8(replyItem.refusal, remaining);
      return { ...replyItem, text, refusal, annotations: [] };
    }
    case 'reasoning': {
      let remaining = bytes;
      const truncateToRemaining = (part: string) => {
        const kept = truncateUtf8(part, remaining);
        remaining -= Buffer.byteLength(kept);
        return kept;
      };
      const content = replyItem.content === undefined ? undefined : truncateToRemaining(replyItem.content);
      return {
        ...replyItem,
        content,
        summary: replyItem.summary.map(truncateToRemaining).filter((part) => part !== ''),
      };
    }
    case 'function_call': {
      const remaining = bytes - Buffer.byteLength(replyItem.name);
      return remaining < 0 ? undefined : { ...replyItem, arguments: truncateUtf8(replyItem.arguments, remaining) };
    }
    case 'custom_tool_call': {
      const remaining = bytes - Buffer.byteLength(replyItem.name);
      return remaining < 0 ? undefined : { ...replyItem, input: truncateUtf8(replyItem.input, remaining) };
    }
    default:
      return undefined;
  }
}

/** The calls of tools that the service runs. `max_tool_calls` counts only these. */
const builtIn = new Set([
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
  'image_generation_call',
  'mcp_call',
]);

/** A reply without the calls of built-in tools beyond `max`: the API ignores further attempts of a model to call one. */
export function limitToolCalls(reply: Reply, max = Infinity): Reply {
  let calls = 0;
  const output = reply.output.filter((replyItem) => {
    if (replyItem.kind !== 'tool' || !builtIn.has(replyItem.item.type)) return true;
    calls += 1;
    return calls <= max;
  });
  return { ...reply, output };
}
