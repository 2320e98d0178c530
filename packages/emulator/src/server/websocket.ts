import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { eventLoopTurn, runWithoutPause, runInSteps } from '../base/incremental.js';
import { isLarge } from '../request/json-body.js';
import { readClientEvent, type ClientEvent } from './client-event.js';
import { closeCodeAfter, type AgeLimit } from '../wire/dialect.js';
import type { ConnectionControl } from '../faults/connection-control.js';
import { corkUntilMicrotask } from '../listener/cork.js';
import { Lanes, type Lane, type QueuedCreate } from '../engine/lanes/lane.js';
import { ConnectionCache, type LaneCache } from '../engine/lanes/connection-cache.js';
import { Lifetime, type Pings } from './lifetime.js';
import type { Limits } from './options.js';
import { refuseWithoutBeta } from '../wire/multi-agent.js';
import { Refusal } from '../wire/refusal.js';
import { rateLimitsFrame } from './chatgpt.js';
import type { SteerAnswer } from '../engine/steering/answers.js';
import { inject } from '../engine/steering/injection.js';
import { interrupt } from '../engine/steering/interrupt.js';
import { Numbering } from '../engine/steering/numbering.js';
import { Steering } from '../engine/steering/steering.js';
import type { Tenant } from '../base/tenant.js';
import { runTurnWithFaults } from './turn-with-faults.js';
import type { TurnSink } from '../engine/turn-sink.js';
import type { Engine } from '../engine/engine.js';
import { isRecord, type Frame } from '../wire/wire.js';

/** The number of unsent bytes above which a turn waits for its client. */
const highWaterBytes = 1024 * 1024;

/** The options of the emulator that a socket depends on. */
export interface SocketRules {
  readonly limits: Limits;
  readonly ageLimit: AgeLimit;
  readonly pings?: Pings | undefined;
}

/** A socket that an upgrade has opened. */
interface OpenedSocket {
  /** The number of the connection in the journal. */
  readonly connection: number;
  readonly socket: WebSocket;
  /** The stream under the socket. */
  readonly tcp: Duplex;
  readonly connectionControl: ConnectionControl;
  /** The tenant whose credential the upgrade had. */
  readonly tenant: Tenant;
  /** Whether the upgrade had the beta header of `multi_agent` and `response.inject` (P4). */
  readonly multiAgent: boolean;
}

/** The number of named lanes, running turns and queued turns of one socket. */
export interface ServedSocket {
  readonly lanes: number;
  readonly running: number;
  readonly queued: number;
}

/**
 * Serves one socket. The creates of a lane run one after another, in order of arrival; lanes run side by side, up to the limit (P43, P44). The
 * socket remembers the latest response of each lane until it closes (P70).
 */
export function serveWebSocket(
  engine: Engine,
  { limits, ageLimit, pings }: SocketRules,
  { connection, socket, tcp, connectionControl, tenant, multiAgent }: OpenedSocket,
): ServedSocket {
  const { dialect, clock } = engine;
  const closed = new AbortController();
  const corkWrites = corkUntilMicrotask(tcp);
  const lanes = new Lanes(limits);
  const connectionCache = new ConnectionCache(engine.memory, dialect.eviction);
  const steering = new Steering(engine.ids, limits, () => lanes.all(), sendAnswer);
  const { connectionAgeMs, idleMs } = limits;
  const lifetime = new Lifetime(clock, socket, { connectionAgeMs, ageLimit, idleMs, pings }, () => {
    if (ageLimit === 'mid-turn') expire();
    else run();
  });
  const accepted = { steering: dialect.steering, inject: dialect.steering && multiAgent };
  /** Resolves when the last of the messages that are being read in steps was read. */
  let reading: Promise<void> | undefined;
  let unread = 0;
  let model: unknown;
  let isEnding = false;

  socket.on('error', () => {
    // ws closes the socket itself, with the code that fits (1009 for a frame that is too large).
  });
  socket.once('close', () => {
    closed.abort();
    lanes.clear();
    connectionCache.clear();
  });
  socket.on('message', (raw: Buffer, isBinary: boolean) => {
    // Messages that arrive after the socket began to close are ignored.
    if (!isOpen() || isEnding) return;
    if (reading === undefined && !isLarge(raw))
      return receive(runWithoutPause(readClientEvent(raw, isBinary, accepted)));
    // A large message is read in steps. Messages that arrive meanwhile wait for it, so that all of them keep their order.
    socket.pause();
    reading = readInSteps(raw, isBinary, reading);
  });

  async function readInSteps(raw: Buffer, isBinary: boolean, before: Promise<void> | undefined): Promise<void> {
    unread += 1;
    await before;
    const message = await runInSteps(readClientEvent(raw, isBinary, accepted));
    unread -= 1;
    if (isOpen() && !isEnding) receive(message);
    if (unread > 0) return;
    reading = undefined;
    socket.resume();
  }

  function receive(message: ClientEvent): void {
    if (message.kind === 'ignored') return;
    if (message.kind === 'steer') return steering.receive(message.body, message.bytes);
    if (message.kind === 'inject') return answerAtOnce(() => injectInto(message.body));
    if (message.kind === 'interrupt') return answerAtOnce(() => interrupt(message.body, (id) => steering.find(id)));
    const body = isRecord(message.body) ? message.body : {};
    if (dialect.closesOnNestedBody && isRecord(body['response'])) return socket.close(1011, 'internal error');
    // A refused create is queued as well, so that errors keep the order of their lane.
    const { lane, refusal = refuseOtherModel(body) ?? refuseWithoutBeta(body, multiAgent) } = lanes.laneFor(
      body['stream_id'],
    );
    const { turns, bytes } = lanes.queued;
    if (turns >= limits.queuedTurns || bytes + message.bytes > limits.queuedBytes) {
      const sentence = `More than ${limits.queuedTurns} creates or ${limits.queuedBytes} bytes wait on this connection.`;
      void refuse(undefined, new Refusal(sentence, { status: 429, code: 'websocket_queue_limit_reached' }));
      return socket.close(1008, 'too many creates wait on this connection');
    }
    lanes.enqueue(lane, refusal === undefined ? message : { ...message, refusal: message.refusal ?? refusal });
    run();
  }

  function injectInto(body: Record<string, unknown>): void {
    const { lane, answer } = inject(body, (id) => steering.find(id));
    sendAnswer(lane, answer);
  }

  /** Handles an event that is not queued. Its refusal is sent at once, because the event belongs to no lane. */
  function answerAtOnce(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (error instanceof Refusal) void refuse(undefined, error);
      else throw error;
    }
  }

  /** The refusal of a create with another model than the first one, in a dialect whose connections have one model (P13). */
  function refuseOtherModel(body: Record<string, unknown>): Refusal | undefined {
    if (!dialect.oneModelPerConnection || typeof body['model'] !== 'string') return undefined;
    model ??= body['model'];
    if (model === body['model']) return undefined;
    const sentence = `This connection is for the model '${String(model)}'; open another one for '${body['model']}'.`;
    return new Refusal(sentence, { code: 'model_mismatch', param: 'model' });
  }

  /** Begins all turns that may run now. A connection beyond its age limit begins none, and ends when its running turns have ended. */
  function run(): void {
    while (isOpen() && !isEnding) {
      if (lifetime.isOver) {
        if (lanes.running.size > 0 || (ageLimit === 'next-turn' && lanes.queued.turns === 0)) return;
        return expire();
      }
      const started = lanes.takeNext();
      if (started === undefined) return;
      void serve(started.lane, started.next);
    }
  }

  async function serve(lane: Lane, next: QueuedCreate): Promise<void> {
    await serveTurn(lane, next);
    lanes.release(lane);
    run();
  }

  async function serveTurn(lane: Lane, next: QueuedCreate): Promise<void> {
    const { target, steered } = steering.begin(lane, next);
    lane.numbering = new Numbering();
    const isSuccessor = next.successor !== undefined;
    const sink: TurnSink = {
      ...sinkOf(lane),
      laneCache: laneCacheOf(lane, isSuccessor),
      injected: () => target.injected,
      interrupted: target.interrupted,
      ...(dialect.steering ? { withSteering: target.withSteering.bind(target) } : {}),
      send(frame) {
        target.onSent(frame);
        if (dialect.accountStatus && frame.type === 'response.created') {
          const waits = write(rateLimitsFrame(clock.now()).text);
          if (waits !== undefined) return waits.then(() => send(lane, frame));
        }
        return send(lane, frame);
      },
      refuse(refusal) {
        steering.returnInput(lane, steered, refusal.message);
        // The client has not sent the create of a successor, so it receives no error for it.
        return isSuccessor ? undefined : refuse(lane, refusal);
      },
    };
    await runTurnWithFaults(engine, { ...next, steered: steered.flatMap(({ items }) => items) }, sink);
    if (!isOpen()) return;
    const successor = steering.end(lane, target, next.body);
    if (successor !== undefined) lanes.enqueueSuccessor(lane, successor, target.queued);
  }

  function sinkOf(lane: Lane): TurnSink {
    return {
      transport: 'websocket',
      connection,
      tenant,
      connectionControl,
      laneCache: undefined,
      counterKey: lane,
      signal: closed.signal,
      send: (frame) => send(lane, frame),
      finish: () => undefined,
      refuse: (refusal) => refuse(lane, refusal),
    };
  }

  /** The cache of a lane. A successor that fails evicts nothing: its input is returned to the client, which may still continue the parent. */
  function laneCacheOf(lane: Lane, isSuccessor: boolean): LaneCache {
    const laneCache = connectionCache.ofLane(lane);
    return isSuccessor ? { ...laneCache, evict: () => undefined } : laneCache;
  }

  /** Ends a connection at its age limit (P74). The error answers a queued create if there is one; otherwise it is sent without a create. */
  function expire(): void {
    isEnding = true;
    const close = () => socket.close(dialect.ageCloseCode, 'connection limit reached');
    const refusal = tooOld(connectionAgeMs);
    const waits = lanes.takeNext();
    if (waits !== undefined && dialect.ageError) {
      const sink = { ...sinkOf(waits.lane), refuse: (error: Refusal) => refuse(undefined, error) };
      void runTurnWithFaults(engine, { ...waits.next, refusal }, sink).then(close);
      return;
    }
    closed.abort();
    if (dialect.ageError) void refuse(undefined, refusal);
    close();
  }

  function sendAnswer(lane: Lane | undefined, answer: SteerAnswer): void {
    const frame = answer(lane?.numbering.insert() ?? 0);
    // A client that has left does not receive the answer, as on a real connection.
    write(stamped(frame.text, lane?.streamId))?.catch(() => undefined);
  }

  function send(lane: Lane, frame: Frame): Promise<void> | undefined {
    const text = stamped(lane.numbering.pass(frame.text), lane.streamId);
    // While several lanes run, the event loop turns after each event, so that their events interleave.
    return write(text) ?? (lanes.running.size > 1 ? eventLoopTurn() : undefined);
  }

  /** Sends a frame. Returns a promise if the client does not keep up; it resolves when the frame was sent. */
  function write(text: string): Promise<void> | undefined {
    if (socket.readyState !== socket.OPEN) return undefined;
    lifetime.touch();
    corkWrites();
    if (socket.bufferedAmount < highWaterBytes) {
      socket.send(text);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      socket.send(text, (error) => {
        if (!error) return resolve();
        // The write fails before the event 'close'. The turn counts as aborted, because its client has gone.
        closed.abort();
        reject(error);
      });
    });
  }

  async function refuse(lane: Lane | undefined, refusal: Refusal): Promise<void> {
    // The error of a failed write is ignored: the event 'close' follows and ends the running turns.
    await write(stamped(refusal.frame(dialect.errorShape).text, lane?.streamId))?.catch(() => undefined);
    if (dialect.closesAfterError) socket.close(closeCodeAfter(refusal));
  }

  function isOpen(): boolean {
    return !closed.signal.aborted && socket.readyState === socket.OPEN;
  }

  return {
    get lanes() {
      return lanes.nameCount;
    },
    get running() {
      return lanes.running.size;
    },
    get queued() {
      return lanes.queued.turns;
    },
  };
}

/** The text of an event with the `stream_id` of its lane. The events of the default lane have none (P42). */
function stamped(text: string, streamId: string | undefined): string {
  if (streamId === undefined) return text;
  // The field is appended to the text, so that a recorded event is otherwise unchanged byte for byte.
  return `${text.slice(0, text.lastIndexOf('}')).trimEnd()},"stream_id":${JSON.stringify(streamId)}}`;
}

function tooOld(ageMs: number): Refusal {
  const minutes = Number((ageMs / 60_000).toPrecision(3));
  const message = `Responses websocket connection limit reached (${minutes} minutes). Create a new websocket connection to continue.`;
  return new Refusal(message, { code: 'websocket_connection_limit_reached' });
}
