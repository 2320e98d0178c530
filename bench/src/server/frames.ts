import { random, words } from './random.js';
import type { Answer } from './answer.js';

/** About the number of bytes by which the service pads a delta. */
const obfuscationBytes = 12;

/** The placeholder for the number of the response, which has eight bytes, too. */
const mark = '@@@@@@@@';

/** The placeholder for the number of the continued response. */
const parentMark = '########';

/** An answer in its form on the wire: all events in one buffer, with the end of each, and the places for the numbers of the response and of its parent. */
export interface Frames {
  bytes: Buffer;
  ends: readonly number[];
  marks: readonly number[];
  parentMarks: readonly number[];
}

/**
 * The events of an answer, serialised before anything is measured. The same `seed` gives the same bytes.
 *
 * @param continues true: the events name the continued response, as those of the service do. A client that finds none concludes that its id was ignored.
 */
export function serialize(answer: Answer, carriage: 'websocket' | 'sse', seed: number, continues = false): Frames {
  const pieces: Buffer[] = [];
  const ends: number[] = [];
  let length = 0;
  for (const event of eventTexts(answer, seed, continues)) {
    const piece =
      carriage === 'websocket' ? frame(event.text) : Buffer.from(`event: ${event.type}\ndata: ${event.text}\n\n`);
    pieces.push(piece);
    length += piece.length;
    ends.push(length);
  }
  const bytes = Buffer.concat(pieces);
  return { bytes, ends, marks: placesOf(mark, bytes), parentMarks: placesOf(parentMark, bytes) };
}

function placesOf(text: string, bytes: Buffer): number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + text.length)) places.push(at);
  return places;
}

/** A copy with the numbers of one response. */
export function numbered({ bytes, marks, parentMarks }: Frames, number: number, parent = ''): Buffer {
  const copy = Buffer.from(bytes);
  const digits = Buffer.from(String(number).padStart(mark.length, '0'));
  for (const at of marks) digits.copy(copy, at);
  for (const at of parentMarks) copy.write(parent, at, 'latin1');
  return copy;
}

/** A text frame of a server: final and not masked (RFC 6455, 5.2). */
function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  let head: Buffer;
  if (length < 126) {
    head = Buffer.from([0x81, length]);
  } else if (length < 65_536) {
    head = Buffer.from([0x81, 126, length >> 8, length & 0xff]);
  } else {
    head = Buffer.alloc(10);
    head.writeUInt16BE(0x817f);
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

function eventTexts(answer: Answer, seed: number, continues: boolean): { type: string; text: string }[] {
  const next = random(seed);
  const response = (status: string, output: readonly object[]): object => responseOf(status, output, continues);
  const texts: { type: string; text: string }[] = [];
  const add = (type: string, fields: object): string => {
    const text = JSON.stringify({ type, sequence_number: texts.length, ...fields });
    texts.push({ type, text });
    return text;
  };
  const call = answer.kind === 'call';
  const itemId = `${call ? 'fc' : 'msg'}_${mark}`;
  const place = call ? { item_id: itemId, output_index: 0 } : { item_id: itemId, output_index: 0, content_index: 0 };
  const deltaType = call ? 'response.function_call_arguments.delta' : 'response.output_text.delta';
  /** Fields beside the delta, as in recordings of the service. */
  const more = (): object => ({ ...(call ? {} : { logprobs: [] }), obfuscation: words(next, obfuscationBytes) });
  const item = (text: string, status: string): object =>
    call
      ? { id: itemId, type: 'function_call', status, call_id: `call_${mark}`, name: 'read', arguments: text }
      : { id: itemId, type: 'message', status, role: 'assistant', content: text === '' ? [] : [part(text)] };
  const part = (text: string): object => ({ type: 'output_text', text, annotations: [], logprobs: [] });

  add('response.created', { response: response('in_progress', []) });
  add('response.in_progress', { response: response('in_progress', []) });
  add('response.output_item.added', { output_index: 0, item: item('', 'in_progress') });
  if (!call) add('response.content_part.added', { ...place, part: part('') });

  // The arguments of a call are one JSON object, cut into the deltas.
  let whole = '';
  for (let index = 0; index < answer.events; index += 1) {
    const beside = more();
    const fields = (delta: string): object => ({ ...place, delta, ...beside });
    const empty = JSON.stringify({ type: deltaType, sequence_number: texts.length, ...fields('') }).length;
    const [open, close] = [call && index === 0 ? '{"path":"' : '', call && index === answer.events - 1 ? '"}' : ''];
    // A quotation mark is escaped within JSON, and so takes two characters.
    const quotes = (open + close).split('"').length - 1;
    const length = Math.max(1, answer.bytes - empty - open.length - close.length - quotes);
    const delta = open + words(next, length) + close;
    whole += delta;
    add(deltaType, fields(delta));
  }

  if (call) {
    add('response.function_call_arguments.done', { ...place, name: 'read', arguments: whole });
  } else {
    add('response.output_text.done', { ...place, text: whole, logprobs: [] });
    add('response.content_part.done', { ...place, part: part(whole) });
  }
  add('response.output_item.done', { output_index: 0, item: item(whole, 'completed') });
  add('response.completed', { response: response('completed', [item(whole, 'completed')]) });
  return texts;
}

/** A response with every field that the SDKs' schemas require. */
function responseOf(status: string, output: readonly object[], continues: boolean): object {
  return {
    id: `resp_${mark}`,
    object: 'response',
    created_at: 1_760_000_000,
    status,
    background: false,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    metadata: {},
    model: 'bench',
    output,
    parallel_tool_calls: true,
    previous_response_id: continues ? `resp_${parentMark}` : null,
    reasoning: { effort: null, summary: null },
    store: true,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage:
      status === 'completed'
        ? {
            input_tokens: 100,
            input_tokens_details: { cached_tokens: 0 },
            output_tokens: 100,
            output_tokens_details: { reasoning_tokens: 0 },
            total_tokens: 200,
          }
        : null,
  };
}
