import { toEvent } from '../fetch/response/event-stream.js';
import type { Frame } from '../protocol/frame.js';
import type { RelayEvent } from './event.js';

/** One event of `text/event-stream`: an `event:` line, and a `data:` line for each line of the JSON. */
export function sseText(event: RelayEvent): string {
  return event instanceof EventWithoutLane ? event.toSse() : toEvent(event);
}

/** The JSON of an event with the name of a lane, as its last member: for a WebSocket whose client has named lanes. */
export function withStreamId(text: string, streamId: string | undefined): string {
  if (streamId === undefined) return text;
  const end = text.lastIndexOf('}');
  const isEmpty = /\{\s*$/.test(text.slice(0, end));
  return `${text.slice(0, end).trimEnd()}${isEmpty ? '' : ','}"stream_id":${JSON.stringify(streamId)}}`;
}

/** An event of a lane, without the lane's name: that is between the engine and the server. */
export class EventWithoutLane implements RelayEvent {
  readonly type: string | undefined;
  readonly size: number;
  readonly #frame: Frame;
  readonly #lane: string;

  constructor(frame: Frame, lane: string) {
    this.type = frame.type;
    this.size = frame.size;
    this.#frame = frame;
    this.#lane = lane;
  }

  get text(): string {
    return withoutStreamId(this.#frame.text, this.#lane);
  }

  toSse(): string {
    return toEvent(this.#frame, this.text);
  }
}

let lastLane = '';
let lastMember = '';
let lastEnd = '';

/** Cuts the member out of the text, so that all else stays as it came. */
export function withoutStreamId(text: string, lane: string): string {
  // Events of a turn come in runs.
  if (lane !== lastLane) {
    lastLane = lane;
    lastMember = `"stream_id":${JSON.stringify(lane)}`;
    lastEnd = `,${lastMember}}`;
  }
  const member = lastMember;
  // A member right before the last brace is a member of the whole.
  if (text.endsWith(lastEnd)) return `${text.slice(0, -lastEnd.length)}}`;
  const at = text.indexOf(member);
  if (at !== -1 && text.indexOf('"stream_id"', at + member.length) === -1 && isTopLevel(text, at))
    return cut(text, at, at + member.length);
  return search(text);
}

/** As a rule the member follows `type`, or is the last one: then the text beside it tells. */
function isTopLevel(text: string, at: number): boolean {
  const isSecond = /^\{"type":"[^"\\]*",$/.test(text.slice(0, at));
  return isSecond || /^[^,{}[\]]*\}\s*$/.test(text.slice(at)) || depthAt(text, at) === 1;
}

/** The top-level member in any spelling. */
function search(text: string): string {
  const member = /"stream_id"\s*:\s*(?:"(?:[^"\\]|\\.)*"|null)/g;
  for (let found = member.exec(text); found !== null; found = member.exec(text))
    if (depthAt(text, found.index) === 1) return cut(text, found.index, member.lastIndex);
  return text;
}

/** How many objects and arrays are open at a place that is outside of strings; `NaN` for a place within one. */
function depthAt(text: string, at: number): number {
  let depth = 0;
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]]/g;
  for (let found = token.exec(text); found !== null && found.index < at; found = token.exec(text)) {
    const [mark] = found;
    if (mark === '{' || mark === '[') depth += 1;
    else if (mark === '}' || mark === ']') depth -= 1;
    else if (token.lastIndex > at) return NaN;
  }
  return depth;
}

/** Cuts a member out, with one of the commas beside it. */
function cut(text: string, from: number, to: number): string {
  const before = text.slice(0, from);
  const after = text.slice(to);
  const comma = /,\s*$/.exec(before);
  if (comma !== null) return before.slice(0, comma.index) + after;
  return before + after.replace(/^\s*,\s*/, '');
}
