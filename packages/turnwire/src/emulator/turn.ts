import type { Answer, RecordedResponse, Reply, Source } from './answer.js';
import { perform, WARM_UP } from './events.js';
import type { Ids } from './ids.js';
import type { Journal, Outcome, OpenTurn, Transport } from './journal.js';
import type { Memory, Remembered } from './memory.js';
import { Metronome } from './pace.js';
import { asksForRecording } from './recordings.js';
import { Refusal } from './refusal.js';
import { parseCreate, type CreateRequest } from './request.js';
import { beginResponse } from './response.js';
import type { Pace } from './script.js';
import { refuseDanglingCalls, refuseOrphanOutputs, type Transcript } from './transcript.js';
import type { TokenCounter } from './usage.js';
import { isRecord, type Frame, type Item, type ResponseObject } from './wire.js';

/** What all turns of one emulator share. */
export interface Emulation {
  readonly memory: Memory;
  readonly journal: Journal;
  readonly ids: Ids;
  readonly tokens: TokenCounter;
  /** Asked in order; the last one always answers. */
  readonly sources: readonly Source[];
  readonly pace: Pace;
}

/** The response a connection holds on to: the latest of its (default) lane, and nothing else (P70). */
export interface Lineage {
  latest: Remembered | undefined;
}

/** One turn's way to its client. */
export interface Carriage {
  readonly transport: Transport;
  readonly connection: number;
  /** Only a socket has one; over HTTP nothing is known but what is stored. */
  readonly lineage: Lineage | undefined;
  /** Where recordings count turns that bring no history. */
  readonly place: object;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** Sends one event; a promise if the client has to catch up first. */
  send(frame: Frame): Promise<void> | undefined;
  /** After the last event. */
  finish(response: ResponseObject | undefined): void;
  refuse(refusal: Refusal): void;
}

/** The body of a create: parsed, and its size as it came. With a `refusal` it is one that is not even looked at. */
export interface Received {
  readonly body: unknown;
  readonly bytes: number;
  readonly refusal?: Refusal;
}

/** Runs one turn from the received body to its last event or its error. Never rejects. */
export async function runTurn(emulation: Emulation, received: Received, carriage: Carriage): Promise<void> {
  const { transport, connection } = carriage;
  const entry = emulation.journal.openTurn({ transport, connection, request: received.body, bytes: received.bytes });
  try {
    if (received.refusal !== undefined) throw received.refusal;
    const request = parseCreate(received.body, transport === 'websocket' ? 'websocket' : 'http');
    await answerTurn(emulation, request, carriage, entry);
  } catch (error) {
    if (carriage.signal.aborted) return entry.aborted();
    // By the body: one that is refused for another field still evicts what it meant to continue.
    evict(emulation, carriage.lineage, isRecord(received.body) ? received.body['previous_response_id'] : undefined);
    const refusal =
      error instanceof Refusal
        ? error
        : new Refusal(`The emulator failed: ${error instanceof Error ? error.message : String(error)}`, {
            status: 500,
          });
    entry.refused(refusal.status, refusal.code);
    carriage.refuse(refusal);
  }
}

async function answerTurn(
  emulation: Emulation,
  request: CreateRequest,
  carriage: Carriage,
  entry: OpenTurn,
): Promise<void> {
  const { memory, sources } = emulation;
  const parent = recall(memory, request, carriage.lineage);
  const known = memory.transcript(parent);
  if (known === undefined) throw notFound(request.previous_response_id);
  const items = request.items.map((item) => dereference(memory, item));
  const transcript = [...known, ...items];
  entry.knows(transcript);
  const warmUp = request.generate === false;
  if (!asksForRecording(request)) {
    refuseOrphanOutputs(transcript);
    // Without an answer to give, the model does not need the results yet.
    if (!warmUp) refuseDanglingCalls(transcript);
  }

  const answer: Answer = warmUp
    ? { kind: 'reply', reply: WARM_UP }
    : await firstAnswer(sources, { request, transcript, place: carriage.place });
  const frames =
    answer.kind === 'recorded' ? replay(answer.recorded) : improvise(emulation, answer.reply, request, transcript);
  // Remembered before the terminal event leaves: whoever has read it may continue at once, on any connection.
  const settled = (response: ResponseObject | undefined) =>
    settle(emulation, carriage, { request, parent, items, response, entry });
  await play(frames, carriage, (answer.kind === 'reply' ? answer.pace : undefined) ?? emulation.pace, settled);
}

function* replay({ frames, response }: RecordedResponse): Generator<Frame, ResponseObject | undefined> {
  yield* frames;
  return response;
}

function improvise(
  { ids, tokens }: Emulation,
  reply: Reply,
  request: CreateRequest,
  transcript: Transcript,
): Generator<Frame, ResponseObject> {
  const performance = perform(reply, beginResponse(ids.next('resp'), request), ids);
  const failed = reply.ending.kind === 'failed';
  return performance.frames(failed ? null : tokens.count(request, transcript, performance.output));
}

/** The response a turn continues. On a socket its own latest one comes first, then what is stored (P71). */
function recall(memory: Memory, request: CreateRequest, lineage: Lineage | undefined): Remembered | undefined {
  const id = request.previous_response_id;
  if (id === undefined) return undefined;
  const found = lineage?.latest?.response.id === id ? lineage.latest : memory.stored(id);
  if (found === undefined) throw notFound(id);
  return found;
}

function notFound(id: string | undefined): Refusal {
  return new Refusal(`Previous response with id '${id}' not found.`, {
    code: 'previous_response_not_found',
    param: 'previous_response_id',
  });
}

function dereference(memory: Memory, item: Item): Item {
  if (item.type !== 'item_reference') return item;
  const found = memory.item(String(item['id']));
  if (found !== undefined) return found;
  const message = `Item with id '${String(item['id'])}' not found. Items are not persisted when \`store\` is false.`;
  throw new Refusal(message, { status: 404, param: 'input' });
}

async function firstAnswer(sources: readonly Source[], question: Parameters<Source>[0]): Promise<Answer> {
  for (const source of sources) {
    const answer = await source(question);
    if (answer !== undefined) return answer;
  }
  throw new Refusal('Nothing answers this request.', { status: 500 });
}

/** Sends the frames at their pace, as fast as the client takes them. `settled` is called right before the last one. */
async function play(
  frames: Iterator<Frame, ResponseObject | undefined>,
  carriage: Carriage,
  pace: Pace,
  settled: (response: ResponseObject | undefined) => void,
): Promise<void> {
  const metronome = new Metronome(pace, carriage.signal);
  let step = frames.next();
  while (step.done !== true) {
    const frame = step.value;
    step = frames.next();
    const wait = metronome.before(frame.type);
    if (wait !== undefined) await wait;
    carriage.signal.throwIfAborted();
    if (step.done === true) settled(step.value);
    const drained = carriage.send(frame);
    if (drained !== undefined) await drained;
  }
  carriage.finish(step.value);
}

interface Settlement {
  readonly request: CreateRequest;
  readonly parent: Remembered | undefined;
  readonly items: readonly Item[];
  readonly response: ResponseObject | undefined;
  readonly entry: OpenTurn;
}

function settle({ memory }: Emulation, carriage: Carriage, turn: Settlement): void {
  const { request, parent, items, response, entry } = turn;
  const outcome = outcomeOf(response);
  entry.ends(response, outcome);
  if (response === undefined || outcome === 'failed') {
    evict({ memory }, carriage.lineage, request.previous_response_id);
    return;
  }
  const stored = request.store ?? true;
  const { lineage } = carriage;
  if (!stored && lineage === undefined) return;
  const remembered = memory.remember({ response, parent, items: [...items, ...response.output], stored });
  if (lineage === undefined) return;
  if (lineage.latest !== parent) memory.release(lineage.latest);
  lineage.latest = remembered;
}

/** A failed turn takes the response it continued out of the connection's cache (P72); a stored one can still be fetched. */
function evict({ memory }: Pick<Emulation, 'memory'>, lineage: Lineage | undefined, id: unknown): void {
  if (lineage?.latest === undefined || lineage.latest.response.id !== id) return;
  memory.release(lineage.latest);
  lineage.latest = undefined;
}

function outcomeOf(response: ResponseObject | undefined): Outcome {
  if (response === undefined || response.status === 'failed' || response.status === 'cancelled') return 'failed';
  return response.status === 'incomplete' ? 'incomplete' : 'completed';
}
