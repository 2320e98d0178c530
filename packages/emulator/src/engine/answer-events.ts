import { runInSteps } from '../base/incremental.js';
import type { CountedInput } from '../memory/usage.js';
import type { CreateRequest } from '../request/request.js';
import type { Answer, RecordedResponse } from '../sources/answer.js';
import { refuseFormatMismatch } from '../sources/structured-output.js';
import { isUsage, type Frame, type ResponseObject, type Usage } from '../wire/wire.js';
import { compactionReply, exceedsCompactThreshold, withCompactionFirst } from './compaction-request.js';
import type { Engine } from './engine.js';
import { limitToolCalls } from './items/output-limits.js';
import { replyEvents } from './reply-events.js';
import { beginResponse } from './response.js';
import type { Frames } from './turn-sink.js';

/** The events of an answer, and the usage that they end with, if it is known. */
export interface AnswerEvents {
  readonly frames: Frames;
  /** Makes the same events again, for a client that streams a stored response (P29); undefined for a recording, whose events would take up memory. */
  readonly makeAgain: (() => Frames) | undefined;
  readonly usage: Usage | null;
  /** The size of the finished items, as JSON. */
  readonly outputBytes: number;
}

/** The events of a recorded response, unchanged. */
export function eventsOfRecording({ frames, response }: RecordedResponse): AnswerEvents {
  function* recorded(): Generator<Frame, ResponseObject | undefined> {
    yield* frames;
    return response;
  }
  const usage = isUsage(response?.['usage']) ? response['usage'] : null;
  return { frames: recorded(), makeAgain: undefined, usage, outputBytes: jsonBytes(response?.output ?? []) };
}

/** The events that a server would send for a reply. @throws Refusal if the reply breaks the format that the request asks for */
export async function eventsOfReply(
  { ids, tokens, obfuscation, dialect }: Engine,
  { reply: given, place }: Extract<Answer, { kind: 'reply' }>,
  input: CountedInput<CreateRequest>,
): Promise<AnswerEvents> {
  const { request, context } = input;
  refuseFormatMismatch(given, request, place);
  const limited = limitToolCalls(given, request.max_tool_calls);
  const isCompacted = given !== compactionReply && (await exceedsCompactThreshold(input, tokens));
  const reply = isCompacted ? withCompactionFirst(limited) : limited;
  const events = replyEvents(reply, beginResponse(ids.next('resp'), request), {
    ids,
    include: new Set(request.include),
    topLogprobs: request.top_logprobs ?? 0,
    obfuscated: request.stream_options?.include_obfuscation ?? obfuscation,
    reasoningEvents: dialect.reasoningEvents,
    reasoningStatus: dialect.reasoningStatus,
    maxOutputTokens: request.max_output_tokens ?? Infinity,
    turnsBefore: context.turns,
  });
  const { usage, outputBytes } =
    reply.end.kind === 'failed'
      ? { usage: null, outputBytes: jsonBytes(events.output) }
      : await runInSteps(tokens.count(input, events.output));
  const makeAgain = () => events.frames(usage);
  return { frames: makeAgain(), makeAgain, usage, outputBytes };
}

/** The size of a value as JSON. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
