import { TextDecoder } from 'node:util';
import type { Reply, ReplyItem } from '../../sources/answer.js';

/** The beginning of a text that has at most so many bytes of UTF-8; never half a character. */
function beginning(text: string, bytes: number): string {
  return new TextDecoder().decode(Buffer.from(text).subarray(0, bytes)).replace(/\uFFFD+$/, '');
}

/** As much of something said as fits into so many bytes of words; undefined if it cannot be begun. */
export function truncateTo(bytes: number, said: ReplyItem): ReplyItem | undefined {
  switch (said.kind) {
    case 'message': {
      // A refusal follows the text, so it is the first to go.
      const text = said.text === undefined ? undefined : beginning(said.text, bytes);
      const left = bytes - Buffer.byteLength(text ?? '');
      const refusal = said.refusal === undefined ? undefined : beginning(said.refusal, left);
      return { ...said, text, refusal, annotations: [] };
    }
    case 'reasoning': {
      let left = bytes;
      const within = (part: string) => {
        const kept = beginning(part, left);
        left -= Buffer.byteLength(kept);
        return kept;
      };
      const content = said.content === undefined ? undefined : within(said.content);
      return { ...said, content, summary: said.summary.map(within).filter((part) => part !== '') };
    }
    case 'function_call': {
      const left = bytes - Buffer.byteLength(said.name);
      return left < 0 ? undefined : { ...said, arguments: beginning(said.arguments, left) };
    }
    case 'custom_tool_call': {
      const left = bytes - Buffer.byteLength(said.name);
      return left < 0 ? undefined : { ...said, input: beginning(said.input, left) };
    }
    default:
      return undefined;
  }
}

/** Tools that the service runs; `max_tool_calls` counts their calls, and no others. */
const builtIn = new Set([
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
  'image_generation_call',
  'mcp_call',
]);

/** A reply without the calls of built-in tools beyond this number: a model that makes more of them is not heard. */
export function limitToolCalls(reply: Reply, max = Infinity): Reply {
  let calls = 0;
  const output = reply.output.filter((said) => {
    if (said.kind !== 'tool' || !builtIn.has(said.item.type)) return true;
    calls += 1;
    return calls <= max;
  });
  return { ...reply, output };
}
