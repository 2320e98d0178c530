import type { Answer, RecordedResponse, Reply, Source } from '../sources/answer.js';
import { replyEvents, warmUpReply } from './reply-events.js';
import type { Clock } from '../base/clock.js';
import { TimeSlice, runInSteps } from '../base/incremental.js';
import { Context } from '../memory/context.js';
import { contextAfter, dereference, findContinued, type Continuation } from './continuation.js';
import type { TurnSink, Frames, ReceivedCreate, CountUsage } from './turn-sink.js';
import type { Faults } from '../faults/rule.js';
import { refuseUnsupportedFields, type Dialect } from '../wire/dialect.js';
import type { BackgroundJobs } from '../memory/background.js';
import type { Conversations } from '../memory/conversations.js';
import type { Ids } from '../wire/ids.js';
import type { ListedItems } from '../memory/listed-item.js';
import { refuseUnknownModel } from './models.js';
import { refuseFormatMismatch, refuseJsonWithoutMention } from '../sources/structured.js';
import type { Journal, OpenTurn } from '../journal/journal.js';
import type { Outcome } from '../journal/journal-turn.js';
import type { Memory, RememberedResponse } from '../memory/memory.js';
import { limitToolCalls } from './items/output-limits.js';
import { refuseReasoningOfOtherIssuer } from '../wire/issuer.js';
import { EventPacer } from './event-pacer.js';
import { asksForRecording } from '../sources/recordings.js';
import { Refusal } from '../wire/refusal.js';
import { parseCreate, type CreateRequest } from '../request/request.js';
import { isCompactionTrigger } from '../request/items.js';
import { beginResponse } from './response.js';
import type { Pace } from '../sources/script/script.js';
import type { credentialRules } from '../base/tenant.js';
import type { TokenCounter } from '../memory/usage.js';
import { isRecord, isUsage, type Frame, type ResponseObject, type Usage } from '../wire/wire.js';

/** What all turns of one emulator share. */
export interface Engine {
  readonly memory: Memory;
  readonly conversations: Conversations;
  readonly listed: ListedItems;
  readonly background: BackgroundJobs;
  /** The models that are answered; any if undefined. */
  readonly models: ReadonlySet<string> | undefined;
  readonly journal: Journal;
  readonly ids: Ids;
  readonly tokens: TokenCounter;
  /** Asked in order; the last one always answers. */
  readonly sources: readonly Source[];
  /** What is broken on purpose. */
  readonly faults: Faults;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly dialect: Dialect;
  /** Whether deltas are padded where the request does not say (P28). */
  readonly obfuscation: boolean;
  /** Whether each credential sees its own responses and conversations only. */
  readonly credentials: (typeof credentialRules)[number];
  /** What `jitter` is drawn from. */
  readonly seed: string | number;
}

/** Runs one turn from the received body to its last event or its error. Never rejects. */
export async function runTurn(
  engine: Engine,
  received: ReceivedCreate,
  carriage: TurnSink,
  entry: OpenTurn,
): Promise<void> {
  try {
    if (received.refusal !== undefined) throw received.refusal;
    const protocol = carriage.transport === 'websocket' ? 'websocket' : 'http';
    const request = await runInSteps(parseCreate(received.body, protocol));
    refuseUnsupportedFields(engine.dialect, received.body, protocol);
    refuseUnknownModel(request.model, engine.models);
    refuseReasoningOfOtherIssuer(request.items, engine.ids.issuer);
    const { steered = [] } = received;
    const whole = steered.length === 0 ? request : { ...request, items: [...steered, ...request.items] };
    await answerTurn(engine, whole, carriage, entry);
  } catch (error) {
    if (carriage.signal.aborted) return entry.abort();
    // By the body: one that is refused for another field still evicts what it meant to continue.
    carriage.laneCache?.evict(isRecord(received.body) ? received.body['previous_response_id'] : undefined, 'refused');
    const refusal = refusalOf(error);
    entry.refuse(refusal.status, refusal.code);
    await carriage.refuse(refusal);
  }
}

/** What the client is told of an error: one that is no refusal is a defect of the emulator. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new Refusal(`The emulator failed: ${why}`, { status: 500 });
}

async function answerTurn(engine: Engine, request: CreateRequest, carriage: TurnSink, entry: OpenTurn): Promise<void> {
  const { memory } = engine;
  const parent = findContinued(memory, request, carriage);
  if (parent !== undefined) {
    const { id } = parent.response;
    entry.setParent(id, carriage.laneCache?.find(id) === parent ? 'connection' : 'store');
    memory.hold(parent);
  }
  try {
    await continueFrom(parent, engine, request, carriage, entry);
  } finally {
    memory.release(parent);
  }
}

/** `parent` is held meanwhile: the lane it came from may advance while another one forks it (P46). */
async function continueFrom(
  parent: RememberedResponse | undefined,
  engine: Engine,
  request: CreateRequest,
  carriage: TurnSink,
  entry: OpenTurn,
): Promise<void> {
  const { memory, conversations } = engine;
  const conversation =
    request.conversationId === undefined ? undefined : conversations.get(request.conversationId, carriage.tenant);
  if (conversation !== undefined) entry.setParent(conversation.id, 'conversation');
  const known = conversation?.context ?? (parent === undefined ? Context.of([]) : contextAfter(parent));
  const items = request.items.map((item) => dereference(memory, item, carriage.tenant));
  const context = await runInSteps(known.withInSteps(items));
  entry.setContext(context);
  let kept = false;
  const keep = () => void (kept = true);
  try {
    await answerFrom({ parent, conversation, known, items, context }, engine, request, carriage, entry, keep);
  } finally {
    if (!kept) context.releaseKeys(known);
  }
}

/** `keep` is called if the turn can be continued. */
async function answerFrom(
  from: Continuation,
  engine: Engine,
  request: CreateRequest,
  carriage: TurnSink,
  entry: OpenTurn,
  keep: () => void,
): Promise<void> {
  const { context } = from;
  const warmUp = request.generate === false || request.prompt_cache_options?.prewarm === true;
  if (!asksForRecording(request)) {
    context.refuseProblem();
    refuseJsonWithoutMention(request, context);
    // Without an answer to give, the model does not need the results yet.
    if (!warmUp) context.refuseDanglingCalls();
  }

  const answer: Answer = warmUp
    ? { kind: 'reply', reply: warmUpReply }
    : asksForCompaction(request)
      ? { kind: 'reply', reply: compactionReply }
      : await firstAnswer(engine.sources, { request, context, counterKey: carriage.counterKey });
  const { frames, usage, again, outputBytes } =
    answer.kind === 'recorded' ? replay(answer.recorded) : await improvise(engine, answer, request, context);
  const hidesOutput = engine.dialect.emptyTerminalOutput && answer.kind === 'reply';
  const countUsage: CountUsage = (output) => usage && engine.tokens.usageOfPart(usage, output);
  // Remembered before the terminal event leaves: whoever has read it may continue at once, on any connection.
  const settled = (response: ResponseObject | undefined, last: Frame) => {
    const bytes = { output: outputBytes, response: last.text.length + (hidesOutput ? outputBytes : 0) };
    if (settle(engine, carriage, { ...from, request, response, entry, again, bytes })) keep();
  };
  const pacer = new EventPacer({
    pace: (answer.kind === 'reply' ? answer.pace : undefined) ?? engine.pace,
    uncachedTokens: usage === null ? 0 : usage.input_tokens - usage.input_tokens_details.cached_tokens,
    clock: engine.clock,
    seed: `${engine.seed} ${entry.number}`,
    signal: carriage.signal,
    interrupted: carriage.interrupted,
  });
  const steered = carriage.withSteering?.(frames, request, countUsage) ?? frames;
  try {
    await play(hidesOutput ? withoutFinalOutput(steered) : steered, carriage, pacer, settled);
  } finally {
    pacer.stop();
  }
}

/** An answer's events, and the usage they will end with, where it is known. */
interface Played {
  readonly frames: Frames;
  /** The same events once more, for who streams a response that is stored (P29); a recording's would take up memory. */
  readonly again: (() => Frames) | undefined;
  readonly usage: Usage | null;
  /** Of the finished items, as JSON. */
  readonly outputBytes: number;
}

function replay({ frames, response }: RecordedResponse): Played {
  function* recorded(): Generator<Frame, ResponseObject | undefined> {
    yield* frames;
    return response;
  }
  const usage = isUsage(response?.['usage']) ? response['usage'] : null;
  return { frames: recorded(), again: undefined, usage, outputBytes: jsonBytes(response?.output ?? []) };
}

async function improvise(
  engine: Engine,
  { reply: said, place }: Extract<Answer, { kind: 'reply' }>,
  request: CreateRequest,
  context: Context,
): Promise<Played> {
  const { ids, tokens } = engine;
  refuseFormatMismatch(said, request, place);
  const heard = limitToolCalls(said, request.max_tool_calls);
  const reply =
    said !== compactionReply && (await needsCompaction(engine, request, context)) ? compacting(heard) : heard;
  const events = replyEvents(reply, beginResponse(ids.next('resp'), request), {
    ids,
    include: new Set(request.include),
    topLogprobs: request.top_logprobs ?? 0,
    obfuscated: request.stream_options?.include_obfuscation ?? engine.obfuscation,
    reasoningEvents: engine.dialect.reasoningEvents,
    reasoningStatus: engine.dialect.reasoningStatus,
    maxOutputTokens: request.max_output_tokens ?? Infinity,
    turnsBefore: context.turns,
  });
  const fails = reply.end.kind === 'failed';
  const { usage, outputBytes } = fails
    ? { usage: null, outputBytes: jsonBytes(events.output) }
    : await runInSteps(tokens.count(request, context, events.output));
  const frames = () => events.frames(usage);
  return { frames: frames(), again: frames, usage, outputBytes };
}

/** True if the context is larger than what the request wants it compacted at (P77). */
async function needsCompaction({ tokens }: Engine, request: CreateRequest, context: Context): Promise<boolean> {
  const threshold = request.context_management?.find(({ type }) => type === 'compaction')?.compact_threshold;
  return threshold !== undefined && (await runInSteps(tokens.countInput(request, context))) > threshold;
}

/** True if the input ends in a `compaction_trigger` (P126). */
function asksForCompaction({ items }: CreateRequest): boolean {
  const last = items.at(-1);
  return last !== undefined && isCompactionTrigger(last);
}

/** The answer to a `compaction_trigger`: one item that stands for the whole context. */
const compactionReply: Reply = {
  output: [{ kind: 'tool', item: { type: 'compaction' } }],
  end: { kind: 'completed' },
};

/** The compaction comes first: it stands for the context before this response, not for what the response says. */
function compacting(reply: Reply): Reply {
  return { ...reply, output: [{ kind: 'tool', item: { type: 'compaction' } }, ...reply.output] };
}

async function firstAnswer(sources: readonly Source[], question: Parameters<Source>[0]): Promise<Answer> {
  for (const source of sources) {
    const answer = await source(question);
    if (answer !== undefined) return answer;
  }
  throw new Refusal('The emulator has no answer to this request: neither a recording, a script nor the echo took it.', {
    status: 500,
  });
}

/** Events of this length together are made within some microseconds: the clock is not read for each of them. */
const lengthBetweenBreaks = 16_384;

/** Sends the frames at their pace, as fast as the client takes them. `settled` is called right before the last one. */
async function play(
  frames: Frames,
  carriage: TurnSink,
  pacer: EventPacer,
  settled: (response: ResponseObject | undefined, last: Frame) => void,
): Promise<void> {
  const slice = new TimeSlice();
  let sinceBreak = 0;
  let step = frames.next();
  while (step.done !== true) {
    const frame = step.value;
    step = frames.next();
    const wait = pacer.waitBefore(frame.type);
    if (wait !== undefined) await wait;
    sinceBreak += frame.text.length;
    if (sinceBreak > lengthBetweenBreaks) {
      sinceBreak = 0;
      const others = slice.yieldIfSpent();
      if (others !== undefined) await others;
    }
    if (carriage.signal.aborted) throw carriage.signal.reason;
    if (step.done === true) settled(step.value, frame);
    const drained = carriage.send(frame);
    if (drained !== undefined) await drained;
  }
  carriage.finish(step.value);
}

/** The same events, the last of which has `output: []`; the response they end in is whole. */
function* withoutFinalOutput(frames: Frames): Frames & Generator<Frame, ResponseObject | undefined> {
  let step = frames.next();
  while (step.done !== true) {
    const frame = step.value;
    step = frames.next();
    if (step.done !== true || step.value === undefined) yield frame;
    else
      yield { ...frame, text: JSON.stringify({ ...JSON.parse(frame.text), response: { ...step.value, output: [] } }) };
  }
  return step.value;
}

interface Settlement extends Continuation {
  readonly request: CreateRequest;
  readonly response: ResponseObject | undefined;
  readonly entry: OpenTurn;
  readonly again: (() => Frames) | undefined;
  readonly bytes: { readonly output: number; readonly response: number };
}

/** Writes down how a turn has ended. Returns whether it can be continued. */
function settle({ memory, conversations, dialect }: Engine, carriage: TurnSink, turn: Settlement): boolean {
  const { request, parent, conversation, known, items, context, response, entry, again, bytes } = turn;
  const outcome = outcomeOf(response);
  entry.end(response, outcome, bytes.output);
  if (response === undefined || outcome === 'failed') {
    carriage.laneCache?.evict(request.previous_response_id, 'failed');
    return false;
  }
  const said = [...response.output, ...(carriage.injected?.() ?? [])];
  const fresh = [...items, ...said];
  const inputBytes = bytesBetween(known, context) ?? jsonBytes(items);
  const sharedBytes = conversation?.bytes ?? 0;
  const inOrder = conversation?.context === known;
  if (inOrder) context.releaseKeys(known);
  if (conversation !== undefined) conversations.append(conversation, fresh);
  const stored = request.store ?? true;
  const { laneCache } = carriage;
  if (!stored && (laneCache === undefined || !dialect.continuesUnstored)) return false;
  const remembered = memory.remember({
    response,
    parent,
    items: fresh,
    before: conversation && known,
    // The conversation has the same items in the form in which it lists them, unless it was changed meanwhile.
    context: conversation !== undefined && inOrder ? conversation.context : context.with(said),
    bytes: inputBytes + bytes.response + sharedBytes,
    stored,
    tenant: carriage.tenant,
    // A steered response ended before its events did.
    events: steered(response) ? undefined : again,
  });
  laneCache?.advance(remembered);
  return true;
}

/** What a context has more than the one it continues; undefined if they were not counted together. */
function bytesBetween(known: Context, context: Context): number | undefined {
  const [before, after] = [known.count, context.count];
  return before === undefined || before.settings !== after?.settings ? undefined : after.bytes - before.bytes;
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function steered({ incomplete_details: details }: ResponseObject): boolean {
  return isRecord(details) && details['reason'] === 'steered';
}

function outcomeOf(response: ResponseObject | undefined): Outcome {
  if (response === undefined || response.status === 'failed' || response.status === 'cancelled') return 'failed';
  return response.status === 'incomplete' ? 'incomplete' : 'completed';
}
