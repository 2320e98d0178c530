import { runInSteps } from '../base/incremental.js';
import type { OpenTurn } from '../journal/journal.js';
import { Context } from '../memory/context.js';
import type { RememberedResponse } from '../memory/memory.js';
import { parseCreate, type CreateRequest } from '../request/request.js';
import type { Answer } from '../sources/answer.js';
import { asksForRecording } from '../sources/recordings.js';
import { refuseJsonWithoutMention } from '../sources/structured-output.js';
import { refuseUnsupportedFields } from '../wire/dialect.js';
import { refuseReasoningOfOtherIssuer } from '../wire/issuer.js';
import { Refusal } from '../wire/refusal.js';
import { isRecord, type Frame, type ResponseObject, type Usage } from '../wire/wire.js';
import { eventsOfRecording, eventsOfReply } from './answer-events.js';
import { asksForCompaction, compactionReply } from './compaction-request.js';
import { contextAfter, dereference, findContinued, type Continuation } from './continuation.js';
import type { Engine } from './engine.js';
import { EventPacer } from './event-pacer.js';
import { refuseUnknownModel } from './models.js';
import { rememberTurn } from './remember-turn.js';
import { warmUpReply } from './reply-events.js';
import { sendFrames, withoutFinalOutput } from './send-frames.js';
import type { CountUsage, ReceivedCreate, TurnSink } from './turn-sink.js';
import { messageOf } from '../base/thrown.js';

/** The parts of the emulator and of the connection that one turn uses. */
export interface TurnParts {
  readonly engine: Engine;
  /** Where the events of the turn go. */
  readonly sink: TurnSink;
  /** The journal's entry of the turn. */
  readonly entry: OpenTurn;
}

/** One turn, from the received create to its last event or its error. */
export class Turn {
  readonly #engine: Engine;
  readonly #sink: TurnSink;
  readonly #entry: OpenTurn;
  /** Whether the turn has ended in a response that a later turn can continue. */
  #isContinuable = false;

  constructor({ engine, sink, entry }: TurnParts) {
    this.#engine = engine;
    this.#sink = sink;
    this.#entry = entry;
  }

  /** Checks the create and answers it, or refuses it. Never rejects. */
  async run(received: ReceivedCreate): Promise<void> {
    try {
      await this.#answer(await this.#check(received));
    } catch (error) {
      if (this.#sink.signal.aborted) return this.#entry.abort();
      // The id is read from the body as it came: a create that is refused for another field still evicts the response that it names.
      const { body } = received;
      this.#sink.laneCache?.evict(isRecord(body) ? body['previous_response_id'] : undefined, 'refused');
      const refusal = refusalOf(error);
      this.#entry.refuse(refusal.status, refusal.code);
      await this.#sink.refuse(refusal);
    }
  }

  /** @throws Refusal for the first thing that is wrong with the create */
  async #check({ body, refusal, steered = [] }: ReceivedCreate): Promise<CreateRequest> {
    if (refusal !== undefined) throw refusal;
    const { dialect, models, ids } = this.#engine;
    const protocol = this.#sink.transport === 'websocket' ? 'websocket' : 'http';
    const request = await runInSteps(parseCreate(body, protocol));
    refuseUnsupportedFields(dialect, body, protocol);
    refuseUnknownModel(request.model, models);
    refuseReasoningOfOtherIssuer(request.items, ids.issuer);
    return steered.length === 0 ? request : { ...request, items: [...steered, ...request.items] };
  }

  /** Holds the response that the request continues while the turn runs: its lane may advance while another lane forks it (P46). */
  async #answer(request: CreateRequest): Promise<void> {
    const { memory } = this.#engine;
    const parent = findContinued(memory, request, this.#sink);
    if (parent !== undefined) {
      const { id } = parent.response;
      this.#entry.setParent(id, this.#sink.laneCache?.find(id) === parent ? 'connection' : 'store');
      memory.hold(parent);
    }
    try {
      await this.#continueFrom(parent, request);
    } finally {
      memory.release(parent);
    }
  }

  async #continueFrom(parent: RememberedResponse | undefined, request: CreateRequest): Promise<void> {
    const { memory, conversations } = this.#engine;
    const { tenant } = this.#sink;
    const conversation =
      request.conversationId === undefined ? undefined : conversations.get(request.conversationId, tenant);
    if (conversation !== undefined) this.#entry.setParent(conversation.id, 'conversation');
    const known = conversation?.context ?? (parent === undefined ? Context.of([]) : contextAfter(parent));
    const items = request.items.map((item) => dereference(memory, item, tenant));
    const context = await runInSteps(known.withInSteps(items));
    this.#entry.setContext(context);
    try {
      await this.#sendAnswer(request, { parent, conversation, known, items, context });
    } finally {
      if (!this.#isContinuable) context.releaseKeys(known);
    }
  }

  async #sendAnswer(request: CreateRequest, continuation: Continuation): Promise<void> {
    const { context } = continuation;
    const { dialect, tokens } = this.#engine;
    const answer = await this.#findAnswer(request, context);
    const { frames, makeAgain, usage, outputBytes } =
      answer.kind === 'recorded'
        ? eventsOfRecording(answer.recorded)
        : await eventsOfReply(this.#engine, answer, { request, context, tenant: this.#sink.tenant });
    const hidesOutput = dialect.emptyTerminalOutput && answer.kind === 'reply';
    const countUsage: CountUsage = (output) => usage && tokens.usageOfPart(usage, output);
    // The turn is remembered before its terminal event leaves: a client that has read that event may continue at once, on any connection.
    const beforeLast = (response: ResponseObject | undefined, last: Frame) => {
      const bytes = { output: outputBytes, response: last.text.length + (hidesOutput ? outputBytes : 0) };
      const ended = { request, continuation, response, makeEventsAgain: makeAgain, bytes };
      this.#isContinuable = rememberTurn(this.#engine, this.#sink, this.#entry, ended);
    };
    const steerable = this.#sink.withSteering?.(frames, request, countUsage) ?? frames;
    const pacer = this.#pacerOf(answer, usage);
    try {
      await sendFrames(hidesOutput ? withoutFinalOutput(steerable) : steerable, this.#sink, pacer, beforeLast);
    } finally {
      pacer.stop();
    }
  }

  /** The answer of the first source that has one. A warm-up and a compaction are answered without asking the sources. */
  async #findAnswer(request: CreateRequest, context: Context): Promise<Answer> {
    const isWarmUp = request.generate === false || request.prompt_cache_options?.prewarm === true;
    if (!asksForRecording(request)) {
      context.refuseProblem();
      refuseJsonWithoutMention(request, context);
      // A warm-up asks the model for nothing, so the results of its calls may still be missing.
      if (!isWarmUp) context.refuseDanglingCalls();
    }
    if (isWarmUp) return { kind: 'reply', reply: warmUpReply };
    if (asksForCompaction(request)) return { kind: 'reply', reply: compactionReply };
    for (const source of this.#engine.sources) {
      const answer = await source({ request, context, counterKey: this.#sink.counterKey });
      if (answer !== undefined) return answer;
    }
    const message = 'The emulator has no answer to this request: neither a recording, a script nor the echo took it.';
    throw new Refusal(message, { status: 500 });
  }

  #pacerOf(answer: Answer, usage: Usage | null): EventPacer {
    const { pace, clock, seed } = this.#engine;
    return new EventPacer({
      pace: (answer.kind === 'reply' ? answer.pace : undefined) ?? pace,
      uncachedTokens: usage === null ? 0 : usage.input_tokens - usage.input_tokens_details.cached_tokens,
      clock,
      seed: `${seed} ${this.#entry.number}`,
      signal: this.#sink.signal,
      interrupted: this.#sink.interrupted,
    });
  }
}

/** The refusal that a client receives for an error. An error that is no refusal is a defect of the emulator, answered with status 500. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const why = messageOf(error);
  return new Refusal(`The emulator failed: ${why}`, { status: 500 });
}
