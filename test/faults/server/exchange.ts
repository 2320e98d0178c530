import { itemsOf, outputOf } from './items.js';
import type { Json } from './events.js';

/** A request that the server has received, and all that it wrote for it. What the oracle knows of the wire, it knows from these. */
export interface Exchange {
  peer: number;
  via: 'websocket' | 'sse';
  lane: string | undefined;
  request: Json;
  events: Json[];
  /** Of the responses begun for it, in order: more than one where a steered response has a successor (P52). */
  responses: string[];
  /** Items between its input and its last response: what a steered response before that one gave, and what it was steered with. */
  before: Json[];
  /** Of its last response. */
  terminal: Json | undefined;
  /** The request came while the one before it, on the same lane, had no terminal event. */
  overlaps: boolean;
}

const terminals = /^(error|response\.(completed|failed|incomplete|done|cancelled))$/;

/** Some servers leave the type out of an error (P12). */
export function isTerminal(event: Json): boolean {
  return terminals.test(String(event['type'])) || (event['type'] === undefined && event['error'] !== undefined);
}

/** The exchanges of one connection. Requests of one lane are answered in their order (P43), which is how an event finds its own. */
export class Exchanges {
  readonly all: Exchange[] = [];
  /** Input that was submitted, and is part of no response yet (P48). */
  readonly #submitted = new Map<Exchange, Json[][]>();

  begin(peer: number, via: Exchange['via'], request: Json): void {
    const lane = typeof request['stream_id'] === 'string' ? request['stream_id'] : undefined;
    const overlaps = this.all.some((other) => other.lane === lane && other.terminal === undefined);
    this.all.push({ peer, via, lane, request, events: [], responses: [], before: [], terminal: undefined, overlaps });
  }

  /** A `response.steer` has come. */
  steered({ previous_response_id: target, input }: Json): void {
    const exchange = this.all.find(({ responses }) => responses.at(-1) === target);
    if (exchange === undefined) return;
    this.#submitted.set(exchange, [...(this.#submitted.get(exchange) ?? []), itemsOf(input)]);
  }

  /** Answered by a status, and by no event. */
  refused(status: number): void {
    const open = this.all.find(({ via, terminal }) => via === 'sse' && terminal === undefined);
    if (open !== undefined) open.terminal = { type: 'error', status };
  }

  /** The request that an event answers. */
  asking(event: Json): Json | undefined {
    const ofLane = this.all.filter(({ lane }) => lane === event['stream_id']);
    return (ofLane.find(({ terminal }) => terminal === undefined) ?? this.#only(event))?.request;
  }

  wrote(event: Json): void {
    const ofLane = this.all.filter(({ lane }) => lane === event['stream_id']);
    const exchange = ofLane.find(({ terminal }) => terminal === undefined) ?? ofLane.at(-1) ?? this.#only(event);
    if (exchange === undefined) return;
    const submitted = this.#submitted.get(exchange) ?? [];
    if (event['type'] === 'response.steer.failed' || event['type'] === 'response.steer.pending') submitted.shift();
    if (event['type'] === 'response.created' && exchange.terminal !== undefined && submitted.length > 0) {
      exchange.before.push(...outputOf(exchange), ...submitted.splice(0).flat());
      exchange.terminal = undefined;
    }
    exchange.events.push(event);
    const { id } = (event['response'] ?? {}) as { id?: unknown };
    // A late event of another response does not make it this one's.
    const isNew = !this.all.some(({ responses }) => responses.includes(String(id)));
    if (event['type'] === 'response.created' && typeof id === 'string' && isNew) exchange.responses.push(id);
    if (isTerminal(event)) exchange.terminal ??= event;
  }
  /** Some servers leave out the name (F5): the event is of the one request that is open. */
  #only(event: Json): Exchange | undefined {
    if (event['stream_id'] !== undefined) return undefined;
    const open = this.all.filter(({ terminal }) => terminal === undefined);
    return open.length === 1 ? open[0] : undefined;
  }
}
