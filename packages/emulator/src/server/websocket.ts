import { setImmediate } from 'node:timers';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { runWithoutPause, runInSteps } from '../base/incremental.js';
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

/** Above this many unsent bytes a turn waits for its client. */
const highWaterBytes = 1024 * 1024;

export interface SocketRules {
  readonly limits: Limits;
  readonly ageLimit: AgeLimit;
  readonly pings?: Pings | undefined;
}

/** What one socket holds at the moment. */
export interface ServedSocket {
  readonly lanes: number;
  readonly running: number;
  readonly queued: number;
}

/**
 * Serves one socket: the creates of a lane one after another in order of arrival, lanes side by side as far as the limits go
 * (P43, P44). The socket remembers the latest response of each lane until it closes (P70).
 */
export function serveWebSocket(
  engine: Engine,
  { limits, ageLimit, pings }: SocketRules,
  connection: number,
  socket: WebSocket,
  tcp: Duplex,
  connectionControl: ConnectionControl,
  tenant: Tenant,
  multiAgent: boolean,
): ServedSocket {
  const { dialect, clock } = engine;
  const closed = new AbortController();
  const corkWrites = corkUntilMicrotask(tcp);
  const lanes = new Lanes(limits);
  const cache = new ConnectionCache(engine.memory, dialect.eviction);
  const steering = new Steering(engine.ids, limits, () => lanes.all(), sendAnswer);
  const { connectionAgeMs, idleMs } = limits;
  const lifetime = new Lifetime(clock, socket, { connectionAgeMs, ageLimit, idleMs, pings }, () => {
    if (ageLimit === 'mid-turn') expire();
    else run();
  });
  const accepted = { steering: dialect.steering, inject: dialect.steering && multiAgent };
  /** The last of the messages that are being read in steps. */
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
    cache.clear();
  });
  socket.on('message', (raw: Buffer, isBinary: boolean) => {
    // What was in flight when the socket began to close is not served any more.
    if (!isOpen() || isEnding) return;
    if (reading === undefined && !isLarge(raw))
      return receive(runWithoutPause(readClientEvent(raw, isBinary, accepted)));
    // A large message is read in steps, and whatever comes meanwhile waits for it: messages keep their order.
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
    // What is refused waits as well: errors keep the order of their lane.
    const { lane, refusal = refuseOtherModel(body) ?? refuseWithoutBeta(body, multiAgent) } = lanes.laneFor(
      body['stream_id'],
    );
    const { turns, bytes } = lanes.queued;
    if (turns >= limits.queuedTurns || bytes + message.bytes > limits.queuedBytes) {
      const said = `More than ${limits.queuedTurns} creates or ${limits.queuedBytes} bytes wait on this connection.`;
      void refuse(undefined, new Refusal(said, { status: 429, code: 'websocket_queue_limit_reached' }));
      return socket.close(1008, 'too many creates wait on this connection');
    }
    lanes.enqueue(lane, refusal === undefined ? message : { ...message, refusal: message.refusal ?? refusal });
    run();
  }

  function injectInto(body: Record<string, unknown>): void {
    const { lane, answer } = inject(body, (id) => steering.find(id));
    sendAnswer(lane, answer);
  }

  /** An event that is refused is answered at once: it belongs to no lane. */
  function answerAtOnce(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (error instanceof Refusal) void refuse(undefined, error);
      else throw error;
    }
  }

  /** P13: the first create decides on the model of its connection. */
  function refuseOtherModel(body: Record<string, unknown>): Refusal | undefined {
    if (!dialect.oneModelPerConnection || typeof body['model'] !== 'string') return undefined;
    model ??= body['model'];
    if (model === body['model']) return undefined;
    const said = `This connection is for the model '${String(model)}'; open another one for '${body['model']}'.`;
    return new Refusal(said, { code: 'model_mismatch', param: 'model' });
  }

  /** Begins whatever may run now. A connection that is too old finishes what runs, and begins nothing. */
  function run(): void {
    while (isOpen() && !isEnding) {
      if (lifetime.isOver) {
        if (lanes.running.size > 0 || (ageLimit === 'next-turn' && lanes.queued.turns === 0)) return;
        return expire();
      }
      const begun = lanes.takeNext();
      if (begun === undefined) return;
      void serve(begun.lane, begun.next);
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
      laneCache: lineageOf(lane, isSuccessor),
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
        // Nobody asked for a successor, so nobody waits for its error.
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

  /** A successor that fails evicts nothing: its input goes back to the client, which may still continue the parent. */
  function lineageOf(lane: Lane, isSuccessor: boolean): LaneCache {
    const laneCache = cache.laneCache(lane);
    return isSuccessor ? { ...laneCache, evict: () => undefined } : laneCache;
  }

  /** The connection is too old (P74). The error is that of the create that waits, if one does; else it comes unasked. */
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
    // A client that is gone hears nothing of it: the outcome of its steer is unknown to it, as it is on a real connection.
    write(stamped(frame.text, lane?.streamId))?.catch(() => undefined);
  }

  function send(lane: Lane, frame: Frame): Promise<void> | undefined {
    const text = stamped(lane.numbering.pass(frame.text), lane.streamId);
    // With others in flight, each event lets theirs go first: lanes interleave however fast they are.
    return write(text) ?? (lanes.running.size > 1 ? eventLoopTurn() : undefined);
  }

  /** Undefined if the client keeps up. */
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
        // The write fails before 'close' is heard: the turn was not refused, its client has gone.
        closed.abort();
        reject(error);
      });
    });
  }

  async function refuse(lane: Lane | undefined, refusal: Refusal): Promise<void> {
    // A client that is gone needs no error: 'close' follows and ends what runs.
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

/** The events of a named lane say which one it is; those of the default lane do not (P42). */
function stamped(text: string, streamId: string | undefined): string {
  if (streamId === undefined) return text;
  // At the end of the text as it is: a recorded event stays what it was, byte for byte, but for this field.
  return `${text.slice(0, text.lastIndexOf('}')).trimEnd()},"stream_id":${JSON.stringify(streamId)}}`;
}

function tooOld(ageMs: number): Refusal {
  const minutes = Number((ageMs / 60_000).toPrecision(3));
  const message = `Responses websocket connection limit reached (${minutes} minutes). Create a new websocket connection to continue.`;
  return new Refusal(message, { code: 'websocket_connection_limit_reached' });
}

function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
