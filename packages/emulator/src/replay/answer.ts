import { isRecord, type Item, type ResponseObject } from '../wire/wire.js';
import { endsResponse } from '../wire/terminal.js';
import { parseObject, type RecordedExchange, type RecordedTurn, type Sent } from './recording.js';

/** An event of a recorded answer, and when the server sent it. */
export interface SentEvent {
  readonly at: number;
  readonly event: Readonly<Record<string, unknown>>;
  /** The event as the server sent it. */
  readonly text: string;
}

/** The recorded answer to a create, in a form that does not depend on the transport: events, or an error before the first one. */
export interface RecordedAnswer {
  readonly requestedAt: number;
  readonly events: readonly SentEvent[];
  /** The error that answered the create instead of events. The status and the headers of an error frame count as those of HTTP. */
  readonly refused?: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  readonly isWhole: boolean;
}

/** The answer of an HTTP exchange. */
export function answerOfExchange({ answer, sent, streams, requestedAt, end }: RecordedExchange): RecordedAnswer {
  const isWhole = end?.how === 'complete';
  if (answer !== undefined && answer.status >= 400) {
    const { status, headers } = answer;
    return { requestedAt, events: [], refused: { status, headers, body: sent[0]?.text ?? '' }, isWhole };
  }
  if (streams) return { requestedAt, events: sent.flatMap(eventOfBlock), isWhole };
  const response = parseObject(sent[0]?.text ?? '');
  const events = response === undefined ? [] : [...eventsOf(response)];
  const at = sent[0]?.at ?? requestedAt;
  return { requestedAt, events: events.map((event) => ({ at, event, text: JSON.stringify(event) })), isWhole };
}

/** The answer to a create on a socket. An error in place of the first event is a refusal. */
export function answerOfTurn({ requestedAt, sent }: RecordedTurn): RecordedAnswer {
  const events = sent.flatMap(({ at, text }): SentEvent[] => {
    const event = parseObject(text);
    if (event === undefined) return [];
    const { stream_id: lane, ...rest } = event;
    return [{ at, event: rest, text: lane === undefined ? text : JSON.stringify(rest) }];
  });
  const [first] = events;
  const { error } = first?.event ?? {};
  if (first === undefined || !isRecord(error)) return { requestedAt, events, isWhole: hasTerminalEvent(events) };
  const status = first.event['status'];
  const { headers, ...fields } = error;
  const refused = {
    status: typeof status === 'number' && status >= 400 ? status : 500,
    headers: isRecord(headers)
      ? Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
      : {},
    body: JSON.stringify({ error: fields }),
  };
  return { requestedAt, events: [], refused, isWhole: true };
}

/**
 * The answer for a create that continues another response than the recorded create, or none. Events that named the response which the recorded
 * create continued name the one that this create continues (Q5). All other events are unchanged.
 */
export function withContinuedId(answer: RecordedAnswer, recordedCreate: string, create: string): RecordedAnswer {
  const [recorded, continued] = [previousIdOf(recordedCreate), previousIdOf(create)];
  if (recorded === continued) return answer;
  const events = answer.events.map((sent): SentEvent => {
    const { response } = sent.event;
    if (!isRecord(response) || response['previous_response_id'] !== recorded) return sent;
    const event = { ...sent.event, response: { ...response, previous_response_id: continued } };
    return { ...sent, event, text: JSON.stringify(event) };
  });
  return { ...answer, events };
}

function previousIdOf(create: string): unknown {
  return parseObject(create)?.['previous_response_id'] ?? null;
}

/** The event in one block of an event stream; nothing for `[DONE]` and comments. */
function eventOfBlock({ at, text }: Sent): SentEvent[] {
  const data = text
    .split(/\r\n|\r|\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).replace(/^ /, ''))
    .join('\n');
  const event = parseObject(data);
  return event === undefined ? [] : [{ at, event, text: data }];
}

function hasTerminalEvent(events: readonly SentEvent[]): boolean {
  return events.some(({ event }) => endsResponse(event['type']));
}

/** The response in which events end, undefined if they break off. If the last event has no output, it is rebuilt from the finished items. */
export function finalResponse(events: readonly SentEvent[]): ResponseObject | undefined {
  const last = events.findLast(({ event }) => endsResponse(event['type']))?.event['response'];
  if (!isRecord(last) || typeof last['id'] !== 'string') return undefined;
  const { output } = last;
  const items = Array.isArray(output) && output.length > 0 ? output.filter(isRecord) : finishedItems(events);
  return { ...last, id: last['id'], status: statusOf(last), output: items };
}

function finishedItems(events: readonly SentEvent[]): readonly Item[] {
  return events
    .filter(({ event }) => event['type'] === 'response.output_item.done')
    .toSorted((a, b) => Number(a.event['output_index']) - Number(b.event['output_index']))
    .flatMap(({ event }) => (isRecord(event['item']) ? [event['item']] : []));
}

/** The events of a response that was recorded as JSON, for a client that streams. Each text is one delta. */
function* eventsOf(response: Readonly<Record<string, unknown>>): Generator<Record<string, unknown>> {
  let sequence_number = 0;
  const event = (type: string, fields: object) => ({ type, sequence_number: sequence_number++, ...fields });
  const initial = { ...response, status: 'in_progress', output: [], usage: null };
  yield event('response.created', { response: initial });
  yield event('response.in_progress', { response: initial });
  const output = Array.isArray(response['output']) ? response['output'].filter(isRecord) : [];
  for (const [output_index, item] of output.entries()) {
    const at = { item_id: item['id'], output_index };
    yield event('response.output_item.added', { output_index, item: { ...item, ...emptied[String(item['type'])] } });
    for (const { type, fields } of itemEvents(item)) yield event(type, { ...at, ...fields });
    yield event('response.output_item.done', { output_index, item });
  }
  yield event(`response.${statusOf(response)}`, { response });
}

function statusOf({ status }: Readonly<Record<string, unknown>>): string {
  return typeof status === 'string' ? status : 'completed';
}

/** The fields with which an item is announced, by its type: those whose content follows in events. */
const emptied: Readonly<Record<string, object>> = {
  message: { content: [], status: 'in_progress' },
  function_call: { arguments: '', status: 'in_progress' },
  custom_tool_call: { input: '', status: 'in_progress' },
  reasoning: { summary: [] },
};

interface ItemEvent {
  readonly type: string;
  readonly fields: object;
}

/** The events of an item between `response.output_item.added` and `response.output_item.done`. */
function* itemEvents(item: Readonly<Record<string, unknown>>): Generator<ItemEvent> {
  const textField = (field: string) => (typeof item[field] === 'string' ? item[field] : undefined);
  const whole = function* (type: string, delta: string, done: string) {
    yield { type: `response.${type}.delta`, fields: { delta } };
    yield { type: `response.${type}.done`, fields: { [done]: delta } };
  };
  if (item['type'] === 'function_call')
    yield* whole('function_call_arguments', textField('arguments') ?? '', 'arguments');
  if (item['type'] === 'custom_tool_call') yield* whole('custom_tool_call_input', textField('input') ?? '', 'input');
  const { content } = item;
  if (item['type'] !== 'message' || !Array.isArray(content)) return;
  for (const [content_index, part] of content.filter(isRecord).entries()) {
    const [name, field] = part['type'] === 'refusal' ? ['refusal', 'refusal'] : ['output_text', 'text'];
    const text = typeof part[field] === 'string' ? part[field] : '';
    const logprobs = name === 'output_text' ? { logprobs: [] } : {};
    yield { type: 'response.content_part.added', fields: { content_index, part: { ...part, [field]: '' } } };
    yield { type: `response.${name}.delta`, fields: { content_index, delta: text, ...logprobs } };
    yield { type: `response.${name}.done`, fields: { content_index, [field]: text, ...logprobs } };
    yield { type: 'response.content_part.done', fields: { content_index, part } };
  }
}
