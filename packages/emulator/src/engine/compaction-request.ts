import { runInSteps } from '../base/incremental.js';
import type { CountedInput, TokenCounter } from '../memory/usage.js';
import { isCompactionTrigger } from '../request/items.js';
import type { CreateRequest } from '../request/request.js';
import type { Reply } from '../sources/answer.js';

/** True if the context is larger than the threshold at which the request wants it compacted (P77). */
export async function exceedsCompactThreshold(
  input: CountedInput<CreateRequest>,
  tokens: TokenCounter,
): Promise<boolean> {
  const threshold = input.request.context_management?.find(({ type }) => type === 'compaction')?.compact_threshold;
  return threshold !== undefined && (await runInSteps(tokens.countInput(input))) > threshold;
}

/** True if the input ends in a `compaction_trigger` (P126). */
export function asksForCompaction({ items }: CreateRequest): boolean {
  const last = items.at(-1);
  return last !== undefined && isCompactionTrigger(last);
}

/** The answer to a `compaction_trigger`: one item that stands for the whole context. */
export const compactionReply: Reply = {
  output: [{ kind: 'tool', item: { type: 'compaction' } }],
  end: { kind: 'completed' },
};

/** The reply with a compaction as its first item, which stands for the context before this response and for none of the reply. */
export function withCompactionFirst(reply: Reply): Reply {
  return { ...reply, output: [...compactionReply.output, ...reply.output] };
}
