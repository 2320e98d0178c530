import { eventsOf } from './answer-events.js';
import { refusal } from './service.js';
import type { Peer, Script } from '../server/peer.js';
import type { Json } from '../server/events.js';
import type { Run, Service } from './service.js';
import type { Shape } from './answer-events.js';

/** One request as it is about to be answered, and the means to answer it otherwise. */
export interface Asked {
  peer: Peer;
  via: 'websocket' | 'sse';
  request: Json;
  /** The number of the request among all of the server, from 1. */
  number: number;
  /** The number of the request among those of its connection, from 1. */
  count: number;
}

/** How an answer goes wrong: `upTo` events of it are written, then something happens. */
export interface Course extends Shape {
  /** Instead of the answer; on SSE, with its status. */
  error?: Json;
  /** Events of the answer that are written. @default all */
  upTo?: number;
  /** Written before the answer: the late events of another, for example. */
  before?: readonly Json[];
  /** The terminal event is not written. @default false */
  dropTerminal?: boolean;
  /** The terminal event is written twice. @default false */
  dupTerminal?: boolean;
  /** Each event in a segment of its own, so many milliseconds after the last. @default all in one */
  everyMs?: number;
  /** Fragments of so many bytes. @default none */
  fragments?: number;
  /** The action on the connection then. @default none */
  after?: (peer: Peer) => void;
}

export interface Serving {
  service: Service;
  /** The fault of this request. @default none */
  course?: (asked: Asked) => Course | undefined;
  /** `on`: lanes, each with its order; `reject`: 400 for a `stream_id`; `mix`: answers without the lane's name (F5). @default on */
  lanes?: 'on' | 'reject' | 'mix';
  maxInboundBytes?: number;
  upgrade?: Script['upgrade'];
}

/** The one model, spoken over WebSocket and over SSE: the script of a fault server. */
export function serve({ service, course, lanes = 'on', maxInboundBytes, upgrade }: Serving): Script {
  let number = 0;
  return {
    upgrade: (peer, head) => {
      peer.maxInboundBytes = maxInboundBytes ?? Infinity;
      void peer.ended.then(() => service.disconnected(peer.number));
      if (upgrade === undefined) peer.accept();
      else upgrade(peer, head);
    },
    create: (peer, request, count) => {
      number += 1;
      const name = request['stream_id'];
      const lane = typeof name === 'string' ? name : '';
      const mark = (event: Json): Json => (lane === '' || lanes === 'mix' ? event : { ...event, stream_id: lane });
      if (lane !== '' && lanes === 'reject')
        return peer.events(refusal(400, 'unknown_parameter', "Unknown parameter: 'stream_id'.", 'stream_id'));
      const way = course?.({ peer, via: 'websocket', request, number, count }) ?? {};
      const answer = way.error === undefined ? service.answer(request, { connection: peer.number, lane }) : undefined;
      const write = (events: readonly Json[]): void => {
        if (way.fragments === undefined) return peer.events(...events.map(mark));
        for (const event of events) peer.fragment(mark(event), way.fragments);
      };
      if (answer === undefined || 'refusal' in answer) {
        write([...(way.before ?? []), way.error ?? (answer as { refusal: Json }).refusal]);
        way.after?.(peer);
        return;
      }
      play(service, answer.run, way, write, () => way.after?.(peer));
    },
    post: (peer, request) => {
      number += 1;
      const way = course?.({ peer, via: 'sse', request, number, count: peer.posts.length }) ?? {};
      const answer = way.error === undefined ? service.answer(request, { connection: undefined, lane: '' }) : undefined;
      if (answer === undefined || 'refusal' in answer) {
        const { status, error, headers } = way.error ?? (answer as { refusal: Json }).refusal;
        peer.http(Number(status), JSON.stringify({ error }), {
          'content-type': 'application/json',
          ...(headers as Record<string, string> | undefined),
        });
        return;
      }
      peer.stream();
      play(
        service,
        answer.run,
        way,
        (events) => peer.sse(...events),
        () => {
          if (way.after !== undefined) way.after(peer);
          else if (way.upTo === undefined && way.dropTerminal !== true) peer.endStream();
        },
      );
    },
  };
}

function play(
  service: Service,
  run: Run,
  way: Course,
  write: (events: readonly Json[]) => void,
  done: () => void,
): void {
  const all = eventsOf(run, way);
  const answer = way.dropTerminal === true ? all.slice(0, -1) : all.slice(0, way.upTo);
  const last = answer.at(-1);
  const twice = way.dupTerminal === true && last !== undefined ? [last] : [];
  const events = [...(way.before ?? []), ...answer, ...twice];
  if (events.length > 0) service.charge(run);
  if (answer.length === all.length) service.finish(run);
  if (way.everyMs === undefined) {
    if (events.length > 0) write(events);
    return done();
  }
  let at = 0;
  const step = (): void => {
    const event = events[at];
    if (event === undefined) return done();
    at += 1;
    write([event]);
    setTimeout(step, way.everyMs);
  };
  step();
}
