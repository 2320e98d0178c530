import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import type { AddressInfo } from 'node:net';
import type { Ending } from '../redis.js';

/** A response as the upstream has made it, with the whole context that it has read. */
export interface Made {
  readonly id: string;
  readonly key: string;
  readonly stored: boolean;
  /** The texts of the conversation, item by item, with the answer. */
  readonly words: readonly string[];
}

interface Create {
  input?: unknown;
  previous_response_id?: string | null;
  store?: boolean;
  stream?: boolean;
  stream_id?: string;
  instructions?: string;
}

/** A server of this API that remembers what it has read: the oracle of a run. */
export interface Upstream {
  readonly url: string;
  readonly made: ReadonlyMap<string, Made>;
  /** How often the words were answered to the end, by what the newest item says. */
  readonly completed: ReadonlyMap<string, number>;
  readonly counts: { creates: number; deltas: number; bytes: number };
}

/** The response that each lane of a socket holds. */
type Lanes = Map<string | undefined, string>;

const thinkMs = 3;

/** @param wrongs what it does wrong on purpose, so that an oracle can be seen to notice. */
export async function startUpstream(
  t: Ending,
  wrongs: { forgets?: boolean; repeats?: boolean } = {},
): Promise<Upstream> {
  const made = new Map<string, Made>();
  const completed = new Map<string, number>();
  const counts = { creates: 0, deltas: 0, bytes: 0 };

  /** The frames of an answer, the second part after a while. */
  function answer(text: string, key: string, lanes: Lanes): { begin: object[]; end: () => object[] } {
    const { input, previous_response_id: parentId, store = true, stream_id: lane } = JSON.parse(text) as Create;
    counts.creates += 1;
    counts.bytes += Buffer.byteLength(text);
    const parent = typeof parentId === 'string' ? made.get(parentId) : undefined;
    const isHeld = parent !== undefined && parent.key === key && (parent.stored || lanes.get(lane) === parentId);
    const named = lane === undefined ? {} : { stream_id: lane };
    if (typeof parentId === 'string' && !isHeld) {
      const message = `Previous response with id '${parentId}' not found.`;
      const error = {
        type: 'invalid_request_error',
        code: 'previous_response_not_found',
        message,
        param: 'previous_response_id',
      };
      return { begin: [{ type: 'error', status: 400, error, ...named }], end: () => [] };
    }
    if (parent !== undefined) counts.deltas += 1;
    const id = `resp_${randomBytes(25).toString('hex')}`;
    const asked = [...(wrongs.forgets === true ? [] : (parent?.words ?? [])), ...wordsOf(input)];
    const item = {
      id: `msg_${randomBytes(25).toString('hex')}`,
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: `Answer to: ${asked.at(-1)}`, annotations: [] }],
    };
    const response = { id, object: 'response', previous_response_id: parentId ?? null, store, model: 'any' };
    return {
      begin: [{ type: 'response.created', response: { ...response, status: 'in_progress', output: [] }, ...named }],
      end: () => {
        made.set(id, { id, key, stored: store, words: [...asked, `Answer to: ${asked.at(-1)}`] });
        lanes.set(lane, id);
        const newest = asked.at(-1) ?? '';
        completed.set(newest, (completed.get(newest) ?? 0) + (wrongs.repeats === true ? 2 : 1));
        return [
          { type: 'response.output_item.done', output_index: 0, item, ...named },
          {
            type: 'response.completed',
            response: {
              ...response,
              status: 'completed',
              output: [item],
              usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
            },
            ...named,
          },
        ];
      },
    };
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const { begin, end } = answer(text, String(request.headers.authorization), new Map());
      const [first] = begin as { type: string; error?: object }[];
      if (first?.type === 'error') {
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: first.error }));
        return;
      }
      if ((JSON.parse(text) as Create).stream !== true) {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify((end().at(-1) as { response: object }).response));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const write = (frames: object[]): void => {
        for (const frame of frames)
          response.write(`event: ${(frame as { type: string }).type}\ndata: ${JSON.stringify(frame)}\n\n`);
      };
      write(begin);
      setTimeout(() => {
        if (response.destroyed) return;
        write(end());
        response.end();
      }, thinkMs);
    });
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const lanes: Lanes = new Map();
      webSocket.on('error', () => {});
      webSocket.on('message', (raw: Buffer) => {
        const { begin, end } = answer(raw.toString(), String(request.headers.authorization), lanes);
        for (const frame of begin) webSocket.send(JSON.stringify(frame));
        setTimeout(() => {
          if (webSocket.readyState !== webSocket.OPEN) return;
          for (const frame of end()) webSocket.send(JSON.stringify(frame));
        }, thinkMs);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, made, completed, counts };
}

/** The texts of an input's items. */
export function wordsOf(input: unknown): string[] {
  if (typeof input === 'string') return [input];
  return (input as { content: string | { text: string }[] }[]).map(({ content }) =>
    typeof content === 'string' ? content : content.map(({ text }) => text).join(''),
  );
}
