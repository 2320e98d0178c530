import type { ReplyItem } from '../../sources/answer.js';
import type { Item } from '../../wire/wire.js';
import {
  deltas,
  pieces,
  textEvents,
  type OutputItem,
  type ItemOptions,
  type ItemStatus,
  type UnnumberedEvent,
} from '../../wire/output-item.js';
import type { Annotation } from '../../sources/tool-schema.js';

type Message = Extract<ReplyItem, { readonly kind: 'message' }>;

/** A content part: how it is announced (`empty`), how it is when done (`whole`), and the events between. */
interface Part {
  readonly empty: Item;
  readonly whole: Item;
  readonly stream: (place: object) => readonly UnnumberedEvent[];
}

export function message(replyItem: Message, options: ItemOptions, status: ItemStatus): OutputItem {
  const parts: Part[] = [];
  if (replyItem.text !== undefined) parts.push(outputText(replyItem.text, replyItem.annotations ?? [], options));
  if (replyItem.refusal !== undefined) parts.push(refusalPart(replyItem.refusal));
  const item = {
    id: options.ids.next('msg'),
    type: 'message',
    role: 'assistant',
    ...(replyItem.phase === undefined ? {} : { phase: replyItem.phase }),
  };
  return {
    added: { ...item, status: 'in_progress', content: [] },
    done: { ...item, status, content: parts.map(({ whole }) => whole) },
    progress: (at) =>
      parts.flatMap(({ empty, whole, stream }, content_index) => {
        const place = { ...at, content_index };
        return [
          { type: 'response.content_part.added', ...place, part: empty },
          ...stream(place),
          { type: 'response.content_part.done', ...place, part: whole },
        ];
      }),
  };
}

function outputText(text: string, quoted: readonly Annotation[], { include, topLogprobs }: ItemOptions): Part {
  const isIncluded = include.has('message.output_text.logprobs') || topLogprobs > 0;
  const logprobsOf = (token: string) => [logprob(token, topLogprobs)];
  const annotations = quoted.map((annotation) => spanning(annotation, text));
  const logprobs = isIncluded ? Array.from(pieces(text), logprobsOf).flat() : [];
  const part = { type: 'output_text', annotations: [], logprobs: [] };
  return {
    empty: { ...part, text: '' },
    whole: { ...part, annotations, logprobs, text },
    stream(place) {
      const after = isIncluded ? (piece: string) => ({ logprobs: logprobsOf(piece) }) : () => noLogprobs;
      return [
        ...deltas('response.output_text.delta', text, place, after),
        ...annotations.map((annotation, annotation_index) => ({
          type: 'response.output_text.annotation.added',
          ...place,
          annotation_index,
          annotation,
        })),
        { type: 'response.output_text.done', ...place, text, logprobs },
      ];
    },
  };
}

const noLogprobs = { logprobs: [] };

function refusalPart(refusal: string): Part {
  return {
    empty: { type: 'refusal', refusal: '' },
    whole: { type: 'refusal', refusal },
    stream: (place) => textEvents('response.refusal', 'refusal', refusal, place),
  };
}

/** The log probability of a token. A scripted token is certain, so its only alternative is itself. */
function logprob(token: string, alternatives: number): object {
  const certain = { token, bytes: [...Buffer.from(token)], logprob: 0 };
  return { ...certain, top_logprobs: alternatives > 0 ? [certain] : [] };
}

function spanning(annotation: Annotation, text: string): object {
  return 'start_index' in annotation ? { ...annotation, end_index: annotation.end_index ?? text.length } : annotation;
}
