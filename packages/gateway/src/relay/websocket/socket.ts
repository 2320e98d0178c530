import { withStreamId } from '@turnwire/client/relay';
import { Refusal } from '../../base/refusal.js';
import { checkStreamId, readClientEvent } from './client-event.js';
import { brokenFrame, refusalFrame } from './error-frame.js';
import { Outbox } from './outbox.js';
import { notTakenHeader } from '../turn.js';
import type { SteerInput } from '@turnwire/client';
import type { JsonObject, RelayBodies } from '@turnwire/client/relay';
import type { WebSocket } from 'ws';
import type { Limits } from '../../config/schema.js';
import type { Principal } from '../../upstream/principal.js';
import type { Create } from '../create.js';
import type { GatewayTurn } from '../turn.js';
import type { Turns } from '../turns.js';

export interface ClientSocketOptions {
  bodies: RelayBodies;
  turns: Turns;
  limits: Limits;
  /** Headers of the upgrade that go with a turn which is sent as a POST. */
  headers: Readonly<Record<string, string>>;
  /** True for the WebSocket of another gateway, which hands turns over and counts them itself. */
  isRelayed: boolean;
  /** Looks up the principal anew for each turn, since its key may have been revoked. @throws Refusal */
  principal: () => Principal;
  keepaliveMs: number;
  /** The bytes that have come over the connection so far. */
  receivedBytes: () => number;
}

/** A lane runs its creates one after the other. */
interface Lane {
  readonly streamId: string | undefined;
  readonly waiting: Create[];
  turn: GatewayTurn | undefined;
  isBusy: boolean;
}

/** The most turns at once on one WebSocket, over all lanes; further creates wait in their lanes. */
const maxRunning = 16;

/** The bytes of all waiting creates together, as a number of frames of the largest size. */
const queuedFramesOfFullSize = 2;

/** A client's WebSocket in WebSocket mode. The upstream's connections are hidden from the client: which of them carry its turns, and when they are replaced. */
export class ClientSocket {
  readonly #socket: WebSocket;
  readonly #options: ClientSocketOptions;
  readonly #outbox: Outbox;
  readonly #lanes = new Map<string | undefined, Lane>();
  /** Running turns by the id of their response. */
  readonly #responses = new Map<string, GatewayTurn>();
  #queued = 0;
  #queuedBytes = 0;
  /** Answers to messages wait for the client to take them. */
  #isUnread = false;
  #isPaused = false;
  #closing: { code: number; reason: string } | undefined;

  constructor(socket: WebSocket, options: ClientSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#outbox = new Outbox(socket, {
      highWaterBytes: options.limits.unsent_bytes,
      pingMs: options.keepaliveMs,
      receivedBytes: options.receivedBytes,
    });
    // ws closes the socket itself, with the right code: 1009 for a message that is too large, 1007 for invalid text.
    socket.on('error', () => {});
    socket.on('message', (raw: Buffer, isBinary: boolean) => {
      if (isBinary) return socket.close(1003, 'messages are text');
      this.#receive(raw);
    });
    socket.once('close', () => this.#left());
  }

  /** Takes no more creates, and closes the socket once no turn runs. */
  drain(code: number, reason: string): void {
    this.#closing ??= { code, reason };
    this.#closeIfIdle();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  get isIdle(): boolean {
    return [...this.#lanes.values()].every(({ isBusy }) => !isBusy);
  }

  #receive(raw: Buffer): void {
    try {
      const event = readClientEvent(this.#options.bodies, raw);
      switch (event.name) {
        case 'create':
          return this.#take(event.create, event.streamId);
        case 'steer':
          return this.#steer(event.params);
        case 'interrupt':
          return this.#interrupt(event.params, event.text);
        case 'inject':
          return this.#inject(event.params, event.text);
        case 'ignored':
      }
    } catch (error) {
      this.#reply(asRefusal(error).frame);
    }
  }

  /** Answers a message. While answers are not taken, no more messages are read: a client could have them pile up without end. */
  #reply(text: string): void {
    this.#outbox.send(text);
    if (!this.#outbox.isRoomy && !this.#isUnread) void this.#pauseUntilTaken();
  }

  async #pauseUntilTaken(): Promise<void> {
    this.#isUnread = true;
    this.#pauseWhereFull();
    await this.#outbox.room();
    this.#isUnread = false;
    this.#pauseWhereFull();
  }

  /** Queues a create. One that will be refused waits too, so that errors keep the order of their lane. */
  #take(create: Create, given: unknown): void {
    const streamId = checkStreamId(given);
    const lane = this.#laneOf(streamId);
    lane.waiting.push(create);
    this.#queued += 1;
    this.#queuedBytes += create.bytes;
    this.#pauseWhereFull();
    this.#advance();
  }

  /** @throws Refusal for more lanes than the limit */
  #laneOf(streamId: string | undefined): Lane {
    const known = this.#lanes.get(streamId);
    if (known !== undefined) return known;
    const { lanes: most } = this.#options.limits;
    if (streamId !== undefined && this.#lanes.size - (this.#lanes.has(undefined) ? 1 : 0) >= most) {
      const message = `this connection has ${most} named lanes already: use one of them, or another connection`;
      throw new LaneRefusal(message, streamId);
    }
    const lane: Lane = { streamId, waiting: [], turn: undefined, isBusy: false };
    this.#lanes.set(streamId, lane);
    return lane;
  }

  /** Begins the turns that may run now. */
  #advance(): void {
    if (this.#closing !== undefined) return;
    let running = [...this.#lanes.values()].filter(({ isBusy }) => isBusy).length;
    for (const lane of this.#lanes.values()) {
      if (lane.isBusy || running >= maxRunning) continue;
      const next = lane.waiting.shift();
      if (next === undefined) continue;
      running += 1;
      lane.isBusy = true;
      // Moves the lane to the end, so that the other lanes come first next time.
      this.#lanes.delete(lane.streamId);
      this.#lanes.set(lane.streamId, lane);
      this.#queued -= 1;
      this.#queuedBytes -= next.bytes;
      void this.#serve(lane, next).finally(() => {
        lane.isBusy = false;
        lane.turn = undefined;
        this.#pauseWhereFull();
        if (this.#isOpen) this.#advance();
        this.#closeIfIdle();
      });
    }
  }

  /** Runs one turn of a lane. Never rejects. */
  async #serve(lane: Lane, create: Create): Promise<void> {
    const { streamId } = lane;
    let turn: GatewayTurn;
    try {
      const { turns, principal, headers, isRelayed } = this.#options;
      turn = await turns.begin({ principal: principal(), create, headers, downstream: 'websocket', isRelayed });
    } catch (error) {
      const refusal = asRefusal(error);
      const marked = this.#options.isRelayed ? refusal.with({ [notTakenHeader]: '1' }) : refusal;
      return this.#outbox.send(withStreamId(marked.frame, streamId));
    }
    if (!this.#isOpen) return turn.cancel();
    lane.turn = turn;
    try {
      await this.#relay(lane, turn);
    } catch (error) {
      this.#outbox.send(withStreamId(brokenFrame(error), streamId));
    } finally {
      for (const [id, other] of this.#responses) if (other === turn) this.#responses.delete(id);
    }
  }

  /** @throws TurnwireError where the answer breaks off */
  async #relay({ streamId }: Lane, turn: GatewayTurn): Promise<void> {
    const opening = await turn.opening();
    if (opening.name !== 'begun') return this.#outbox.send(withStreamId(refusalFrame(opening), streamId));
    const { responseId } = turn.engine;
    if (responseId !== undefined) this.#responses.set(responseId, turn);
    for (const { text } of opening.events) this.#outbox.send(withStreamId(text, streamId));
    for (;;) {
      let event = turn.poll();
      if (event === undefined) {
        if (!this.#outbox.isRoomy) await this.#outbox.room();
        event = await turn.next();
      }
      if (event === undefined) return;
      if (event.type === 'response.created') this.#name(event.text, turn);
      this.#outbox.send(withStreamId(event.text, streamId));
      if (!this.#outbox.isRoomy) await this.#outbox.room();
    }
  }

  /** Notes the id of the successor of a steered response. */
  #name(text: string, turn: GatewayTurn): void {
    const { response } = JSON.parse(text) as { response?: { id?: unknown } };
    if (typeof response?.id === 'string') this.#responses.set(response.id, turn);
  }

  #steer(params: JsonObject): void {
    const { previous_response_id: id, input } = params;
    const turn = typeof id === 'string' ? this.#responses.get(id) : undefined;
    const fail = (code: string, message: string): void => {
      const error = { type: 'invalid_request_error', code, message };
      this.#reply(
        JSON.stringify({
          type: 'response.steer.failed',
          steer: { previous_response_id: id ?? null, input: input ?? null },
          error,
        }),
      );
    };
    if (turn === undefined) return fail('response_not_found', 'no response with this id runs on this connection');
    // The upstream's answer to it comes as an event of the turn.
    turn.steer(input as SteerInput).catch((error: unknown) => {
      if (this.#isOpen) fail('steering_not_supported', error instanceof Error ? error.message : String(error));
    });
  }

  #interrupt({ response_id: id }: JsonObject, text: string): void {
    const turn = typeof id === 'string' ? this.#responses.get(id) : undefined;
    // The response may have ended while the interrupt was on its way.
    if (turn === undefined || turn.say(text)) return;
    throw new Refusal('the upstream carries this response over HTTP, where nothing interrupts it', {
      code: 'interrupt_not_supported',
      param: 'response_id',
    });
  }

  #inject({ response_id: id, input }: JsonObject, text: string): void {
    const turn = typeof id === 'string' ? this.#responses.get(id) : undefined;
    if (turn?.say(text) === true) return;
    const [code, message] =
      turn === undefined
        ? ['response_not_found', 'no response with this id runs on this connection']
        : ['inject_not_supported', 'the upstream carries this response over HTTP, where nothing is injected into it'];
    const error = { type: 'invalid_request_error', code, message };
    this.#reply(
      JSON.stringify({ type: 'response.inject.failed', response_id: id ?? null, input: input ?? null, error }),
    );
  }

  /** Reads no more messages while the queues are full: a client that sends faster than its turns run has to wait. */
  #pauseWhereFull(): void {
    const { queued_frames: frames, frame_bytes: bytes } = this.#options.limits;
    const isFull = this.#isUnread || this.#queued >= frames || this.#queuedBytes > queuedFramesOfFullSize * bytes;
    if (isFull === this.#isPaused || !this.#isOpen) return;
    this.#isPaused = isFull;
    if (isFull) this.#socket.pause();
    else this.#socket.resume();
  }

  #closeIfIdle(): void {
    if (this.#closing === undefined || !this.isIdle || !this.#isOpen) return;
    const { code, reason } = this.#closing;
    this.#socket.close(code, reason);
  }

  #left(): void {
    this.#outbox.stop();
    for (const lane of this.#lanes.values()) {
      lane.waiting.length = 0;
      lane.turn?.cancel();
    }
    this.#lanes.clear();
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }
}

/** A refusal whose frame names the lane that was refused. */
class LaneRefusal extends Refusal {
  readonly #streamId: string;

  constructor(message: string, streamId: string) {
    super(message, { code: 'websocket_stream_limit_reached', param: 'stream_id' });
    this.#streamId = streamId;
  }

  override get frame(): string {
    return withStreamId(super.frame, this.#streamId);
  }
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal('the gateway has failed', { status: 500, code: 'gateway_error' });
}
