/** The shape of an answer of the bench's server. It travels in the request's `model`, so that every client can ask for it. */
export interface Answer {
  /** `text`: one message. `call`: one function call, with its arguments in the deltas. */
  kind: 'text' | 'call';
  /** The number of deltas; the events around them come on top (`eventsAround`). */
  events: number;
  /** The size of the JSON of one delta, in bytes. */
  bytes: number;
  /** Events a second; 0: as fast as the client takes them. */
  rate: number;
  /** Milliseconds from the request to the first event. */
  firstMs: number;
  /** Over SSE: an HTTP chunk for each event, as real servers flush them, or one chunk for the whole answer. @default 'event' */
  chunk?: 'event' | 'answer';
}

/** The events of a text answer other than deltas: created, in_progress, item added, part added, text done, part done, item done, completed. */
const aroundText = 8;
/** The events of a call other than deltas: created, in_progress, item added, arguments done, item done, completed. */
const aroundCall = 6;

export function eventsOf({ kind, events }: Answer): number {
  return events + (kind === 'text' ? aroundText : aroundCall);
}

/** The time that the server itself takes, from the request to the last event, in milliseconds. */
export function serverMs({ kind, events, rate, firstMs }: Answer): number {
  return firstMs + (rate === 0 ? 0 : ((eventsOf({ kind, events } as Answer) - 1) / rate) * 1000);
}

export function modelOf({ kind, events, bytes, rate, firstMs, chunk = 'event' }: Answer): string {
  return `bench-${kind}-${events}-${bytes}-${rate}-${firstMs}-${chunk}`;
}

/** @throws Error for a model that is not from `modelOf`. */
export function answerOf(model: string): Answer {
  const [, kind, events, bytes, rate, firstMs, chunk] =
    /^bench-(text|call)-(\d+)-(\d+)-(\d+)-(\d+)-(event|answer)$/.exec(model) ?? [];
  if (kind === undefined) throw new Error(`no model of the bench: ${model}`);
  return {
    kind: kind as Answer['kind'],
    events: Number(events),
    bytes: Number(bytes),
    rate: Number(rate),
    firstMs: Number(firstMs),
    chunk: chunk as NonNullable<Answer['chunk']>,
  };
}
