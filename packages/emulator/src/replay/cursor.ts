import { Refusal } from '../wire/refusal.js';
import { answerOfExchange, answerOfTurn, withContinuedId, finalResponse, type RecordedAnswer } from './answer.js';
import { firstDifference, shortJson, type Difference } from './difference.js';
import { semanticDifference, fullInput, type ResponseHistory } from './semantic-difference.js';
import { payloadDifference } from './payload.js';
import {
  isCreate,
  laneOf,
  parseObject,
  type RecordedExchange,
  type RecordedSocket,
  type RecordedTurn,
  type Recording,
  type Payload,
} from './recording.js';
import type { ReplayMode } from './replay-options.js';

/** A recorded message of a client. `leftOut` says why its answer is not in the recording. */
type MayBeLeftOut = Pick<RecordedExchange, 'line'> & Partial<Pick<RecordedExchange, 'leftOut'>>;

/** A recorded create over either protocol. */
interface RecordedCreate {
  readonly line: number;
  readonly source: RecordedExchange | RecordedTurn;
  readonly protocol: 'http' | 'websocket';
  readonly text: string;
  /** Whether the create is a warm-up, whose answer no client over HTTP can ask for. */
  readonly isWarmUp: boolean;
}

/** The answer to a create: `verbatim` as it was recorded on the same transport, or `converted` from another transport or another id. */
export type ReplayAnswer<T> = { readonly verbatim: T } | { readonly converted: RecordedAnswer };

/**
 * The position in a recording: which of its requests were answered, and which answer comes next.
 *
 * - `strict`: an HTTP request is answered as the first equal request that was not answered yet, and the n-th upgrade as the n-th recorded
 *   upgrade. A create on a socket must equal the next create of its lane. A create that equals none, or whose lane has none left, is compared
 *   by its meaning with the creates of the other transport and other lanes; a delta may have the same meaning as a full history.
 * - `loose`: an HTTP request is answered as the next request with the same method and path, a create as the next create of its lane, or else
 *   of any transport, whatever their contents are.
 */
export class Cursor {
  readonly #recording: Recording;
  readonly #mode: ReplayMode;
  readonly #answered = new Set<object>();
  readonly #onDifference: (message: string) => void;
  readonly #creates: readonly RecordedCreate[];
  readonly #histories: ReadonlyMap<string, ResponseHistory>;
  #sockets = 0;
  /** In strict mode: the refusal of the first request that differed, until a request equals the recorded one again. */
  #mismatch: Refusal | undefined;

  constructor(recording: Recording, mode: ReplayMode, onDifference: (message: string) => void = () => undefined) {
    this.#recording = recording;
    this.#mode = mode;
    this.#onDifference = onDifference;
    this.#creates = recordedCreates(recording);
    this.#histories = historiesOf(this.#creates);
  }

  /** The answer to an HTTP request that is not a create. @throws Refusal with the expected request, the received one and their difference */
  exchange(method: string, path: string, body: Payload): RecordedExchange {
    const isMeant = (each: RecordedExchange) => each.method === method && samePath(each.path, path);
    const unanswered = this.#recording.exchanges.filter((each) => !this.#answered.has(each));
    const found = unanswered.find(
      (each) => isMeant(each) && (this.#isLoose || bodyDifference(each, body) === undefined),
    );
    if (found !== undefined) return this.#markAnswered(found, bodyDifference(found, body));
    const expected = unanswered.find(isMeant) ?? unanswered[0];
    const got = `${method} ${path}`;
    if (expected === undefined) throw this.#refuse(this.#tooMany(got, this.#recording.exchanges, 'HTTP request'));
    if (!isMeant(expected)) {
      const difference = { path: '', expected: `${expected.method} ${expected.path}`, got };
      throw this.#refuse(this.#different(expected.line, difference));
    }
    throw this.#refuse(this.#different(expected.line, bodyDifference(expected, body)));
  }

  /** The answer to a create over HTTP. @throws Refusal */
  httpCreate(path: string, body: Payload): ReplayAnswer<RecordedExchange> {
    const unanswered = this.#unanswered();
    const samePlace = unanswered.flatMap(({ source }) =>
      'method' in source && samePath(source.path, path) ? [source] : [],
    );
    const equal = samePlace.find((each) => this.#isLoose || bodyDifference(each, body) === undefined);
    if (equal !== undefined) {
      this.#markAnswered(equal, bodyDifference(equal, body));
      // An answer is converted if one of the two creates streams and the other does not.
      const isSameForm = streams(equal.body?.text ?? '') === streams(body.text);
      return isSameForm ? { verbatim: equal } : { converted: answerOfExchange(equal) };
    }
    const others = unanswered.filter(({ isWarmUp }) => !isWarmUp);
    const found = others.find((each) => this.#isLoose || this.#semanticDifference(each, body.text) === undefined);
    if (found !== undefined) return this.#convert(found, body.text);
    const expected = others[0];
    if (expected === undefined) throw this.#refuse(this.#tooMany(`POST ${path}`, this.#creates, 'create'));
    throw this.#refuse(this.#different(expected.line, this.#semanticDifference(expected, body.text)));
  }

  /** The answer to a create on a socket. @throws Refusal */
  turn(socket: RecordedSocket, text: string): ReplayAnswer<RecordedTurn> {
    const lane = laneOf(parseObject(text));
    const isOpen = (turn: RecordedTurn) => !this.#answered.has(turn);
    let next = socket.lanes.get(lane)?.find(isOpen);
    if (this.#isLoose) {
      next ??= this.#recording.sockets.flatMap((each) => [...each.lanes.values()].flat()).find(isOpen);
      if (next !== undefined)
        return verbatimOrContinued(this.#markAnswered(next, textDifference(next.request, text)), text);
    } else if (next !== undefined && textDifference(next.request, text) === undefined) {
      return { verbatim: this.#markAnswered(next, undefined) };
    }
    const unanswered = this.#unanswered();
    // A create on a lane that has none left may be one of another lane, because a client may name or share its lanes otherwise this time.
    const candidates = unanswered.filter(
      ({ source, protocol }) => next === undefined || source === next || protocol === 'http',
    );
    const found = candidates.find((each) => this.#isLoose || this.#semanticDifference(each, text) === undefined);
    if (found !== undefined && found.source === next)
      return verbatimOrContinued(this.#markAnswered(next, undefined), text);
    if (found !== undefined) return this.#convert(found, text);
    const got = lane === '' ? 'this create' : `this create on the lane ${lane}`;
    if (next !== undefined) throw this.#refuse(this.#different(next.line, textDifference(next.request, text)));
    const expected = unanswered.find(({ isWarmUp }) => !isWarmUp);
    if (expected === undefined) throw this.#refuse(this.#tooMany(got, this.#creates, 'create'));
    throw this.#refuse(this.#different(expected.line, this.#semanticDifference(expected, text)));
  }

  /** The recorded socket for an upgrade. @throws Refusal if no upgrade is left, and no create over HTTP that a socket could ask for */
  socket(): RecordedSocket {
    const { sockets } = this.#recording;
    const next = sockets[this.#sockets];
    this.#sockets += 1;
    if (next !== undefined) return next;
    // A client may open more sockets than in the recording. It decides itself when such a socket ends.
    const opened = sockets.find((each) => each.answer?.status === 101);
    if (this.#isLoose && opened !== undefined) {
      return { ...opened, lanes: new Map(), initialFrames: [], others: [], close: undefined };
    }
    if (this.#unanswered().some(({ protocol }) => protocol === 'http')) return socketNeverDialled;
    throw this.#refuse(this.#tooMany('an upgrade to WebSocket', this.#creates, 'create'));
  }

  /** Takes a message of the client that is not a create. @throws Refusal in strict mode, if the message is not the recorded one */
  other(socket: RecordedSocket, text: string): void {
    if (this.#isLoose) return;
    const next = socket.others.find((each) => !this.#answered.has(each));
    if (next === undefined) throw this.#refuse(this.#tooMany('this message'));
    const difference = textDifference(next.text, text);
    if (difference !== undefined) throw this.#refuse(this.#different(next.line, difference));
    this.#markAnswered(next, undefined);
  }

  /** True if every turn of this socket was answered. */
  isFinished(socket: RecordedSocket): boolean {
    return [...socket.lanes.values()].flat().every((turn) => this.#answered.has(turn));
  }

  /** True if the client opened another socket after this one in the recording. */
  isFollowed(socket: RecordedSocket): boolean {
    return this.#recording.sockets.at(-1) !== socket;
  }

  get #isLoose(): boolean {
    return this.#mode === 'loose';
  }

  #unanswered(): readonly RecordedCreate[] {
    return this.#creates.filter(({ source }) => !this.#answered.has(source));
  }

  /** @throws Refusal if the answer is not in the recording */
  #markAnswered<T extends MayBeLeftOut>(found: T, difference: Difference | undefined): T {
    this.#answered.add(found);
    this.#mismatch = undefined;
    if (difference !== undefined) this.#onDifference(this.#different(found.line, difference).message);
    if (found.leftOut !== undefined) throw this.#refuse(this.#notRecorded(found));
    return found;
  }

  #notRecorded({ line, leftOut }: MayBeLeftOut): Refusal {
    const message = `The answer to this request is not in the recording (${this.#recording.file}:${line}); ${leftOut}.`;
    return new Refusal(message, { code: 'replay_without_answer' });
  }

  #convert(found: RecordedCreate, text: string): { readonly converted: RecordedAnswer } {
    this.#markAnswered(found.source, this.#isLoose ? this.#semanticDifference(found, text) : undefined);
    return { converted: withContinuedId(answerOf(found), found.text, text) };
  }

  #semanticDifference({ text: expected }: RecordedCreate, got: string): Difference | undefined {
    const [expectedBody, gotBody] = [parseObject(expected), parseObject(got)];
    if (expectedBody === undefined || gotBody === undefined) return textDifference(expected, got);
    const find = (id: string) => this.#histories.get(id);
    return semanticDifference(expectedBody, fullInput(expectedBody, find), gotBody, fullInput(gotBody, find));
  }

  /** The refusal to send. In strict mode the first mismatch is repeated, also to a client that connects again. */
  #refuse(refusal: Refusal): Refusal {
    if (this.#isLoose) return refusal;
    if (this.#mismatch === undefined) this.#onDifference(refusal.message);
    return (this.#mismatch ??= refusal);
  }

  #tooMany(what: string, recorded?: readonly object[], kind?: string): Refusal {
    const { file } = this.#recording;
    const message =
      recorded?.length === 0
        ? `There is no ${kind} in the recording ${file}; got ${what}.`
        : `Everything in the recording ${file} has been asked for; expected nothing more, got ${what}.`;
    return new Refusal(message, { code: 'replay_mismatch' });
  }

  #different(line: number, { path, expected, got }: Difference = noDifference): Refusal {
    const where = path === '' ? '' : ` first at ${path}:`;
    const message = `The request is not the one in the recording (${this.#recording.file}:${line});${where} expected ${shortJson(expected)}, got ${shortJson(got)}.`;
    return new Refusal(message, { code: 'replay_mismatch', param: path === '' ? null : path });
  }
}

const noDifference: Difference = { path: '', expected: undefined, got: undefined };

/** The socket for an upgrade of which the recording has none: its creates are answered from those over HTTP. */
const socketNeverDialled: RecordedSocket = {
  line: 0,
  requestedAt: 0,
  path: '/responses',
  answer: { at: 0, exchange: 1, kind: 'answer', status: 101, headers: {} },
  body: '',
  refusedBy: undefined,
  initialFrames: [],
  lanes: new Map(),
  others: [],
  close: undefined,
};

function recordedCreates({ exchanges, sockets }: Recording): readonly RecordedCreate[] {
  const posted = exchanges.filter(isCreate).map((source): RecordedCreate => ({
    line: source.line,
    source,
    protocol: 'http',
    text: source.body?.text ?? '',
    isWarmUp: false,
  }));
  const framed = sockets
    .flatMap(({ lanes }) => [...lanes.values()].flat())
    .map((source): RecordedCreate => ({
      line: source.line,
      source,
      protocol: 'websocket',
      text: source.request,
      isWarmUp: parseObject(source.request)?.['generate'] === false,
    }));
  return [...posted, ...framed].toSorted((a, b) => a.line - b.line);
}

function answerOf({ source }: RecordedCreate): RecordedAnswer {
  return 'request' in source ? answerOfTurn(source) : answerOfExchange(source);
}

/** The answer of a turn on a socket: as recorded, unless its events have to name another response as the one that the create continues. */
function verbatimOrContinued(turn: RecordedTurn, create: string): ReplayAnswer<RecordedTurn> {
  const answer = answerOfTurn(turn);
  const continued = withContinuedId(answer, turn.request, create);
  return continued === answer ? { verbatim: turn } : { converted: continued };
}

/** The history of each recorded response, by its id: a later create may continue the response by its id, or bring its history in full. */
function historiesOf(creates: readonly RecordedCreate[]): ReadonlyMap<string, ResponseHistory> {
  const histories = new Map<string, ResponseHistory>();
  for (const create of creates) {
    const body = parseObject(create.text);
    const response = finalResponse(answerOf(create).events);
    if (body === undefined || response === undefined) continue;
    histories.set(response.id, { input: fullInput(body, (id) => histories.get(id)), output: response.output });
  }
  return histories;
}

function streams(body: string): boolean {
  return parseObject(body)?.['stream'] === true;
}

/** The first difference of two frames. Frames that are not JSON are compared as texts. */
function textDifference(expected: string, got: string): Difference | undefined {
  return firstDifference(parseObject(expected) ?? expected, parseObject(got) ?? got);
}

function bodyDifference({ body }: RecordedExchange, got: Payload): Difference | undefined {
  return payloadDifference(body ?? { text: '', base64: false, contentType: undefined }, got);
}

/** True for equal paths. A redacted query value equals any value. */
function samePath(recorded: string, got: string): boolean {
  return firstDifference(recorded, got) === undefined;
}
