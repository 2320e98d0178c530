import { Refusal } from '../refusal.js';
import { firstDifference, shown } from './difference.js';
import {
  laneOf,
  parsed,
  type RecordedExchange,
  type RecordedSocket,
  type RecordedTurn,
  type Recording,
} from './recording.js';

export type ReplayMode = 'strict' | 'loose';

/**
 * What of a recording has been answered, and what comes next.
 *
 * Strict: an HTTP request gets the first recorded one, not answered yet, that equals it; the n-th upgrade gets the n-th
 * recorded one; a create gets the next one of its lane on its socket, which it must equal. Loose: an HTTP request gets the
 * next recorded one of the same method and path, a create the next one of its lane, or else of any socket, whatever they say.
 */
export class Cursor {
  readonly #recording: Recording;
  readonly #mode: ReplayMode;
  readonly #answered = new Set<object>();
  readonly #onDifference: (message: string) => void;
  #sockets = 0;

  constructor(recording: Recording, mode: ReplayMode, onDifference: (message: string) => void = () => undefined) {
    this.#recording = recording;
    this.#mode = mode;
    this.#onDifference = onDifference;
  }

  /** @throws Refusal with what was expected, what came, and the first difference */
  exchange(method: string, path: string, body: string): RecordedExchange {
    const open = this.#recording.exchanges.filter((each) => !this.#answered.has(each));
    const found = open.find(
      (each) =>
        each.method === method &&
        samePath(each.path, path) &&
        (this.#mode === 'loose' || difference(each.body ?? '', body) === undefined),
    );
    if (found !== undefined) {
      this.#answered.add(found);
      this.#tell(found.line, found.body ?? '', body);
      return found;
    }
    const expected = open.find((each) => each.method === method && samePath(each.path, path)) ?? open[0];
    if (expected === undefined) throw this.#tooMany(`${method} ${path}`, this.#recording.exchanges, 'HTTP request');
    const got = `${method} ${path}`;
    const wanted = `${expected.method} ${expected.path}`;
    if (expected.method !== method || !samePath(expected.path, path))
      throw this.#mismatch(expected.line, '', wanted, got);
    throw this.#different(expected.line, expected.body ?? '', body);
  }

  /** @throws Refusal if no more upgrades were recorded */
  socket(): RecordedSocket {
    const { sockets } = this.#recording;
    const next = sockets[this.#sockets];
    this.#sockets += 1;
    if (next !== undefined) return next;
    const left = sockets.find((each) => each.answer?.status === 101);
    if (this.#mode === 'strict' || left === undefined)
      throw this.#tooMany('an upgrade to WebSocket', sockets, 'WebSocket');
    // Loose: a client may dial more often than it did. Its socket ends when it likes.
    return { ...left, lanes: new Map(), greeting: [], others: [], close: undefined };
  }

  /** The recorded turn for a create. @throws Refusal */
  turn(socket: RecordedSocket, text: string): RecordedTurn {
    const lane = laneOf(parsed(text));
    const isOpen = (turn: RecordedTurn) => !this.#answered.has(turn);
    let next = socket.lanes.get(lane)?.find(isOpen);
    if (this.#mode === 'loose') {
      next ??= this.#recording.sockets.flatMap((each) => [...each.lanes.values()].flat()).find(isOpen);
    }
    if (next === undefined) throw this.#tooMany(lane === '' ? 'this create' : `this create on the lane ${lane}`);
    if (this.#mode === 'strict' && difference(next.request, text) !== undefined) {
      throw this.#different(next.line, next.request, text);
    }
    this.#answered.add(next);
    this.#tell(next.line, next.request, text);
    return next;
  }

  /** Any other message of a client. @throws Refusal if strict, and it is not the one that was recorded */
  other(socket: RecordedSocket, text: string): void {
    if (this.#mode === 'loose') return;
    const next = socket.others.find((each) => !this.#answered.has(each));
    if (next === undefined) throw this.#tooMany('this message');
    if (difference(next.text, text) !== undefined) throw this.#different(next.line, next.text, text);
    this.#answered.add(next);
  }

  /** True when every turn of this socket has been asked for. */
  isSpent(socket: RecordedSocket): boolean {
    return [...socket.lanes.values()].flat().every((turn) => this.#answered.has(turn));
  }

  /** True when the client opened another socket after this one. */
  isFollowed(socket: RecordedSocket): boolean {
    return this.#recording.sockets.at(-1) !== socket;
  }

  /** Strict, there is nothing to tell: a request that differs is refused. */
  #tell(line: number, expected: string, got: string): void {
    if (this.#mode === 'strict' || difference(expected, got) === undefined) return;
    this.#onDifference(this.#different(line, expected, got).message);
  }

  #tooMany(what: string, recorded?: readonly object[], kind?: string): Refusal {
    const { file } = this.#recording;
    const message =
      recorded?.length === 0
        ? `There is no ${kind} in the recording ${file}; got ${what}.`
        : `Everything in the recording ${file} has been asked for; expected nothing more, got ${what}.`;
    return new Refusal(message, { code: 'replay_mismatch' });
  }

  #different(line: number, expected: string, got: string): Refusal {
    const found = difference(expected, got);
    return this.#mismatch(line, found?.path ?? '', found?.expected, found?.got);
  }

  #mismatch(line: number, path: string, expected: unknown, got: unknown): Refusal {
    const where = path === '' ? '' : ` first at ${path}:`;
    const message = `The request is not the one in the recording (${this.#recording.file}:${line});${where} expected ${shown(expected)}, got ${shown(got)}.`;
    return new Refusal(message, { code: 'replay_mismatch', param: path === '' ? null : path });
  }
}

/** Bodies that are not JSON are compared as texts. */
function difference(expected: string, got: string): ReturnType<typeof firstDifference> {
  return firstDifference(parsed(expected) ?? expected, parsed(got) ?? got);
}

/** A query value that was redacted is any. */
function samePath(recorded: string, got: string): boolean {
  return firstDifference(recorded, got) === undefined;
}
