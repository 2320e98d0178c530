import { createHash } from 'node:crypto';
import type { ReplyItem } from '../../sources/answer.js';
import { withIssuerMark } from '../../wire/issuer.js';
import { textEvents, type OutputItem, type ItemOptions, type ItemStatus } from '../../wire/output-item.js';

type Reasoning = Extract<ReplyItem, { readonly kind: 'reasoning' }>;

/**
 * A reasoning item. It has `encrypted_content` only if the request includes it. As in real traffic, that text in `output_item.done` differs
 * from the text in the terminal response, so clients that compare histories must accept both.
 */
export function reasoning(
  { summary, content }: Reasoning,
  { ids, include, reasoningEvents, reasoningStatus }: ItemOptions,
  status: ItemStatus,
): OutputItem {
  const id = ids.next('rs');
  const parts = summary.map((text) => ({ type: 'summary_text', text }));
  const item = {
    id,
    type: 'reasoning',
    summary: parts,
    ...(content === undefined ? {} : { content: [{ type: 'reasoning_text', text: content }] }),
    // In most dialects a finished reasoning item has no status.
    ...(reasoningStatus || status === 'incomplete' ? { status } : {}),
  };
  const encrypted = (occasion: string) =>
    include.has('reasoning.encrypted_content')
      ? { encrypted_content: withIssuerMark(fakeCiphertext(occasion, [id, summary, content]), ids.issuer) }
      : {};
  return {
    added: {
      id,
      type: 'reasoning',
      summary: [],
      ...(reasoningStatus ? { status: 'in_progress' } : {}),
      ...encrypted('added'),
    },
    done: { ...item, ...encrypted('done') },
    final: { ...item, ...encrypted('final') },
    *progress(at) {
      if (content !== undefined) {
        yield* textEvents(reasoningEvents, 'text', content, { ...at, content_index: 0 });
      }
      for (const [summary_index, part] of parts.entries()) {
        const place = { ...at, summary_index };
        yield { type: 'response.reasoning_summary_part.added', ...place, part: { type: 'summary_text', text: '' } };
        yield* textEvents('response.reasoning_summary_text', 'text', part.text, place);
        yield { type: 'response.reasoning_summary_part.done', ...place, part };
      }
    },
  };
}

/** A text that looks encrypted and holds nothing: its length depends on the reasoning alone, its characters also on the occasion. */
function fakeCiphertext(occasion: string, reasoning: unknown): string {
  const plain = JSON.stringify(reasoning);
  const block = createHash('sha512').update(occasion).update(plain).digest('base64url').slice(0, 64);
  return `gAAAAA${block.repeat(Math.ceil((plain.length + 1) / 64))}`;
}
