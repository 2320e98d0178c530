import type { InputItem } from '@turnwire/client';

const bytesPerToken = 4;
const placeholder = '[this result is no longer shown; call the tool again if you need it]';

/**
 * The items with the results of tools as far as a budget goes, newest first. From the first result on that does not fit, each result that is longer than the
 * placeholder is replaced by it. The server does not know such a history, so it is sent in full.
 */
export function withoutOldResults(items: readonly InputItem[], mostTokens: number): readonly InputItem[] {
  if (mostTokens === Infinity) return items;
  let left = mostTokens * bytesPerToken;
  const kept = items.map((item) => item);
  for (let at = kept.length - 1; at >= 0; at -= 1) {
    const item = kept[at];
    if (item?.type !== 'function_call_output' && item?.type !== 'custom_tool_call_output') continue;
    const size = Buffer.byteLength(typeof item.output === 'string' ? item.output : JSON.stringify(item.output));
    left = size <= left ? left - size : 0;
    if (left === 0 && size > placeholder.length) kept[at] = { ...item, output: placeholder };
  }
  return kept;
}
