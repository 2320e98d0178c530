import { isCompactionTrigger } from '../request/items.js';
import type { OpenTurn } from '../journal/journal.js';
import type { Outcome } from '../journal/journal-turn.js';
import type { Context } from '../memory/context.js';
import type { CreateRequest } from '../request/request.js';
import { isRecord, type ResponseObject } from '../wire/wire.js';
import { jsonBytes } from './answer-events.js';
import type { Continuation } from './continuation.js';
import type { Engine } from './engine.js';
import type { Frames, TurnSink } from './turn-sink.js';

/** A turn whose last event is about to leave. */
export interface EndedTurn {
  readonly request: CreateRequest;
  readonly continuation: Continuation;
  /** Undefined if the events break off before a response has ended. */
  readonly response: ResponseObject | undefined;
  readonly makeEventsAgain: (() => Frames) | undefined;
  readonly bytes: { readonly output: number; readonly response: number };
}

/** Writes the end of a turn into the journal, the conversation and the memory. @returns whether a later turn can continue it */
export function rememberTurn(
  { memory, conversations, dialect }: Engine,
  sink: TurnSink,
  entry: OpenTurn,
  { request, continuation, response, makeEventsAgain, bytes }: EndedTurn,
): boolean {
  const { parent, conversation, known, items, context } = continuation;
  const outcome = outcomeOf(response);
  entry.end(response, outcome, bytes.output);
  if (response === undefined || outcome === 'failed') {
    sink.laneCache?.evict(request.previous_response_id, 'failed');
    return false;
  }
  const outputs = [...response.output, ...(sink.injected?.() ?? [])];
  const newItems = [...items, ...outputs];
  const inputBytes = bytesBetween(known, context) ?? jsonBytes(items);
  const conversationBytes = conversation?.bytes ?? 0;
  const isConversationUnchanged = conversation?.context === known;
  if (isConversationUnchanged) context.releaseKeys(known);
  if (conversation !== undefined) {
    conversations.append(
      conversation,
      newItems.filter((item) => !isCompactionTrigger(item)),
    );
  }
  const stored = request.store ?? true;
  const { laneCache } = sink;
  if (!stored && (laneCache === undefined || !dialect.continuesUnstored)) return false;
  const remembered = memory.remember({
    response,
    parent,
    items: newItems,
    before: conversation && known,
    // An unchanged conversation has the same items in the form in which it lists them.
    context: conversation !== undefined && isConversationUnchanged ? conversation.context : context.with(outputs),
    bytes: inputBytes + bytes.response + conversationBytes,
    stored,
    tenant: sink.tenant,
    // The events of a steered response were cut short, and cannot be made again from its reply.
    events: isSteered(response) ? undefined : makeEventsAgain,
  });
  laneCache?.setLatest(remembered);
  return true;
}

/** How many bytes a context has more than the one that it continues; undefined if the two were not counted with the same settings. */
function bytesBetween(known: Context, context: Context): number | undefined {
  const [before, after] = [known.count, context.count];
  return before === undefined || before.settings !== after?.settings ? undefined : after.bytes - before.bytes;
}

function isSteered({ incomplete_details: details }: ResponseObject): boolean {
  return isRecord(details) && details['reason'] === 'steered';
}

function outcomeOf(response: ResponseObject | undefined): Outcome {
  if (response === undefined || response.status === 'failed' || response.status === 'cancelled') return 'failed';
  return response.status === 'incomplete' ? 'incomplete' : 'completed';
}
