import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { eventsOf, modelOf, serverMs } from '../dist/server/answer.js';
import { startServer } from '../dist/server/server.js';
import type { Answer } from '../dist/server/answer.js';

interface Event {
  type: string;
  sequence_number: number;
  delta?: string;
  response?: {
    id: string;
    previous_response_id: string | null;
    output: { id: string; arguments?: string; content?: { text: string }[] }[];
  };
}

const answers: readonly Answer[] = [
  { kind: 'text', events: 30, bytes: 180, rate: 0, firstMs: 0 },
  { kind: 'text', events: 3, bytes: 570, rate: 500, firstMs: 20 },
  { kind: 'call', events: 4, bytes: 190, rate: 0, firstMs: 0 },
];

/** The HTTP chunks of an answer, as they came. */
async function chunksOf(port: number, answer: Answer): Promise<string[]> {
  const body = JSON.stringify({ model: modelOf(answer), input: 'Hi' });
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
  let rest = (await text(socket)).split('\r\n\r\n').slice(1).join('\r\n\r\n');
  const chunks: string[] = [];
  for (;;) {
    const [size = ''] = rest.split('\r\n', 1);
    const length = Number.parseInt(size, 16);
    if (length === 0) return chunks;
    chunks.push(rest.slice(size.length + 2, size.length + 2 + length));
    rest = rest.slice(size.length + 4 + length);
  }
}

/** Node 26 makes one chunk of what is written in one tick. The bench is for Node 20 and 24. */
const skip = Number(process.versions.node.split('.')[0]) > 24 && 'Node 26 makes one chunk of several writes';

describe('bench: server', () => {
  test(
    'each event over SSE is an HTTP chunk of its own, unless the answer is named as coalesced',
    { skip },
    async (t) => {
      const server = await startServer({ seed: 7 });
      t.after(() => server.close());
      const [back, paced] = [answers[0], answers[1]];
      assert(back !== undefined && paced !== undefined);
      for (const answer of [back, paced]) {
        const chunks = await chunksOf(server.port, answer);
        assert.equal(chunks.length, eventsOf(answer));
        for (const chunk of chunks) assert.match(chunk, /^event: .+\ndata: .+\n\n$/);
      }
      assert.equal((await chunksOf(server.port, { ...back, chunk: 'answer' })).length, 1);
    },
  );

  test('deltas have the fields that recordings of the service have', { skip }, async (t) => {
    const server = await startServer({ seed: 7 });
    t.after(() => server.close());
    const [answer] = answers;
    assert(answer !== undefined);
    const delta = (await chunksOf(server.port, answer)).find((chunk) => chunk.includes('output_text.delta')) ?? '';
    const fields = Object.keys(JSON.parse(/^data: (.+)$/m.exec(delta)?.[1] ?? '') as object).sort();
    assert.deepEqual(fields, [
      'content_index',
      'delta',
      'item_id',
      'logprobs',
      'obfuscation',
      'output_index',
      'sequence_number',
      'type',
    ]);
  });

  for (const answer of answers) {
    test(`the same events over both transports: ${modelOf(answer)}`, async (t) => {
      const server = await startServer({ seed: 7 });
      t.after(() => server.close());
      const body = JSON.stringify({ model: modelOf(answer), input: 'Hi' });

      const begun = performance.now();
      const response = await fetch(`http://127.0.0.1:${server.port}/v1/responses`, { method: 'POST', body });
      const blocks = (await response.text()).split('\n\n').slice(0, -1);
      assert(performance.now() - begun >= serverMs(answer) - 5);
      const overSse = blocks.map((block) => {
        const [, type, text] = /^event: (.+)\ndata: (.+)$/.exec(block) ?? [];
        const event = JSON.parse(text ?? '') as Event;
        assert.equal(event.type, type);
        return { text: text ?? '', event };
      });

      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/v1/responses`);
      t.after(() => socket.terminate());
      await once(socket, 'open');
      const overWebSocket: string[] = [];
      const done = new Promise<void>((resolve) => {
        socket.on('message', (message: Buffer) => {
          overWebSocket.push(message.toString());
          if (overWebSocket.length === blocks.length) resolve();
        });
      });
      socket.send(body);
      await done;

      // The number of the response is all that differs.
      const renumbered = overSse.map(({ text }) => text.replaceAll('_00000001', '_00000002'));
      assert.deepEqual(overWebSocket, renumbered);
      assert.equal(overSse.length, eventsOf(answer));
      const deltas = overSse.filter(({ event }) => event.type.endsWith('.delta'));
      assert.equal(deltas.length, answer.events);
      for (const { text } of deltas) assert.equal(Buffer.byteLength(text), answer.bytes);
      overSse.forEach(({ event }, index) => assert.equal(event.sequence_number, index));

      const whole = deltas.map(({ event }) => event.delta).join('');
      const last = overSse.at(-1)?.event;
      assert.equal(last?.type, 'response.completed');
      const [item] = last?.response?.output ?? [];
      assert.equal(item?.arguments ?? item?.content?.[0]?.text, whole);
      if (answer.kind === 'call') assert.equal(typeof (JSON.parse(whole) as { path: unknown }).path, 'string');
      assert.equal(server.counts().turns, 2);
      assert.equal(server.counts().connections, 2);
    });
  }

  test('an answer names the response that it continues, in each event that has a response', async (t) => {
    const server = await startServer({ seed: 7 });
    t.after(() => server.close());
    const ask = async (more: object): Promise<Event[]> => {
      const body = JSON.stringify({ model: modelOf(answers[2] as Answer), input: 'Hi', ...more });
      const response = await fetch(`http://127.0.0.1:${server.port}/v1/responses`, { method: 'POST', body });
      return [...(await response.text()).matchAll(/^data: (.+)$/gm)].map(([, text = '']) => JSON.parse(text) as Event);
    };
    const parentsOf = (events: Event[]): unknown[] =>
      events.flatMap(({ response }) => (response === undefined ? [] : [response.previous_response_id]));
    const first = await ask({});
    assert.deepEqual(parentsOf(first), [null, null, null]);
    const id = first[0]?.response?.id;
    assert.equal(id, 'resp_00000001');
    assert.deepEqual(parentsOf(await ask({ previous_response_id: id })), [id, id, id]);
  });

  test('the same seed gives the same bytes, another one others', async (t) => {
    const texts = await Promise.all(
      [3, 3, 4].map(async (seed) => {
        const server = await startServer({ seed });
        t.after(() => server.close());
        const body = JSON.stringify({ model: 'bench-text-5-200-0-0-event', input: 'Hi' });
        return (await fetch(`http://127.0.0.1:${server.port}/v1/responses`, { method: 'POST', body })).text();
      }),
    );
    assert.equal(texts[0], texts[1]);
    assert.notEqual(texts[0], texts[2]);
  });
});
