import type { Piece } from './http.js';

/** One event of an event stream, with its fields as they came. */
export interface RawEvent {
  event: string | undefined;
  /** The values of its `data` lines, joined by line feeds; undefined without any. */
  data: string | undefined;
  hasId: boolean;
  /** The time at which its last byte came. */
  at: number;
}

export interface RawEventStream {
  events: readonly RawEvent[];
  /** Lines that are no field of an event stream, no comment and not empty. */
  oddLines: readonly string[];
}

const fields: ReadonlySet<string> = new Set(['event', 'data', 'id', 'retry']);

/** Parses a body by the rules of event streams, and keeps the lines that those rules ignore. */
export function readEventStream(body: string, pieces: readonly Piece[]): RawEventStream {
  const events: RawEvent[] = [];
  const oddLines: string[] = [];
  const timeOf = clockOf(pieces);
  let event: string | undefined;
  let data: string[] = [];
  let hasId = false;
  let offset = 0;
  const finish = (): void => {
    if (event !== undefined || data.length > 0)
      events.push({ event, data: data.length === 0 ? undefined : data.join('\n'), hasId, at: timeOf(offset) });
    event = undefined;
    data = [];
    hasId = false;
  };
  for (const [line] of body.replace(/^\ufeff/, '').matchAll(/[^\r\n]*(?:\r\n|\n|\r|$)/g)) {
    offset += line.length;
    const text = line.replace(/[\r\n]+$/, '');
    if (line === '') break;
    if (text === '') {
      finish();
      continue;
    }
    if (text.startsWith(':')) continue;
    const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(text) ?? [];
    if (!fields.has(name)) oddLines.push(text);
    if (name === 'event') event = value;
    if (name === 'data') data.push(value);
    if (name === 'id') hasId = true;
  }
  finish();
  return { events, oddLines };
}

/** Gives for an offset the time at which the character there had come. */
function clockOf(pieces: readonly Piece[]): (offset: number) => number {
  let index = 0;
  let reached = pieces[0]?.text.length ?? 0;
  return (offset) => {
    while (reached < offset && index < pieces.length - 1) {
      index += 1;
      reached += pieces[index]?.text.length ?? 0;
    }
    return pieces[index]?.at ?? 0;
  };
}
