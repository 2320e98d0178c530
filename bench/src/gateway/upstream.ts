import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { eventCount, paceMs, pacedModel, pauseMs, pausingModel } from './protocol.js';
import type { AddressInfo } from 'node:net';

interface Asked {
  model?: string;
  stream_id?: string;
  previous_response_id?: string;
}

/** The bytes of requests and frames, without heads. */
export let receivedBytes = 0;

/**
 * A scripted upstream over SSE and WebSockets. It writes each event on its own, as the servers of models do. It reads only the part of a request outside of
 * the input, since its own work is not to be measured.
 */
export async function startUpstream(): Promise<string> {
  let count = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      receivedBytes += body.length;
      const asked = read(body);
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
      response.flushHeaders();
      play(eventsOf((count += 1), asked), asked, {
        event: (type, text) => void response.write(`event: ${type}\ndata: ${text}\n\n`),
        end: () => response.end(),
      });
    });
  });
  server.keepAliveTimeout = 600_000;
  const sockets = new WebSocketServer({ server, maxPayload: 2 ** 28 });
  sockets.on('connection', (socket) => {
    socket.on('message', (raw: Buffer) => {
      receivedBytes += raw.length;
      const asked = read(raw);
      play(eventsOf((count += 1), asked), asked, { event: (_type, text) => socket.send(text), end: () => undefined });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

/** The fields of a request that decide its answer. They stand outside of the input, which is not parsed. */
function read(raw: Buffer): Asked {
  const ends = `${raw.toString('latin1', 0, 400)}${raw.toString('latin1', Math.max(400, raw.length - 400))}`;
  const field = (name: string): string | undefined => new RegExp(`"${name}":"([^"\\\\]*)"`).exec(ends)?.[1];
  const found: Asked = {};
  for (const name of ['model', 'stream_id', 'previous_response_id'] as const) {
    const value = field(name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

type Event = readonly [type: string, text: string];

function play(
  events: readonly Event[],
  { model }: Asked,
  to: { event: (type: string, text: string) => void; end: () => void },
): void {
  let at = 0;
  const next = (): void => {
    const [type, text] = events[at] ?? ['', ''];
    to.event(type, text);
    at += 1;
    if (at === events.length) to.end();
    else if (model === pacedModel) setTimeout(next, paceMs);
    else if (model === pausingModel && at === 1) setTimeout(next, pauseMs);
    else setImmediate(next);
  };
  next();
}

function eventsOf(number: number, { model = 'any', stream_id: lane, previous_response_id: previous }: Asked): Event[] {
  const id = `resp_${number}`;
  const item = {
    id: `msg_${number}`,
    type: 'message',
    role: 'assistant',
    status: 'in_progress',
    content: [] as object[],
  };
  const part = { type: 'output_text', text: '', annotations: [], logprobs: [] };
  const words = Array.from({ length: eventCount - 8 }, (_, index) => `word${index} `);
  const text = words.join('');
  const whole = { ...item, status: 'completed', content: [{ ...part, text }] };
  const response = {
    id,
    object: 'response',
    created_at: 1_800_000_000,
    status: 'in_progress',
    model,
    output: [] as object[],
    previous_response_id: previous ?? null,
    store: true,
    usage: null as object | null,
  };
  const usage = { input_tokens: 100, output_tokens: 34, total_tokens: 134, input_tokens_details: { cached_tokens: 0 } };
  const at = { item_id: item.id, output_index: 0, content_index: 0 };
  const bodies: object[] = [
    { type: 'response.created', response },
    { type: 'response.in_progress', response },
    { type: 'response.output_item.added', output_index: 0, item },
    { type: 'response.content_part.added', ...at, part },
    ...words.map((delta) => ({
      type: 'response.output_text.delta',
      ...at,
      delta,
      logprobs: [],
      obfuscation: 'a1B2c3D4',
    })),
    { type: 'response.output_text.done', ...at, text, logprobs: [] },
    { type: 'response.content_part.done', ...at, part: { ...part, text } },
    { type: 'response.output_item.done', output_index: 0, item: whole },
    { type: 'response.completed', response: { ...response, status: 'completed', output: [whole], usage } },
  ];
  return bodies.map((body, index) => {
    const event = { ...body, sequence_number: index, ...(lane !== undefined && { stream_id: lane }) };
    return [(body as { type: string }).type, JSON.stringify(event)];
  });
}
