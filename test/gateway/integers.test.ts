import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { hashKey, startGateway } from '@turnwire/gateway';
import { WebSocketServer } from 'ws';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

const tools =
  '[{"type":"function","name":"f","parameters":{"properties":{"n":{"minimum":-9223372036854775808,"maximum":9223372036854775807}}}}]';

interface Said {
  id: string;
  output: object[];
  previous_response_id: unknown;
}

/** A server that keeps the text of each request, and answers it over either transport. */
async function setUp(
  t: TestContext,
  webSockets: boolean,
): Promise<{ asked: string[]; ask: (body: string) => Promise<Said> }> {
  const asked: string[] = [];
  const events = (text: string): object[] => {
    asked.push(text);
    const { previous_response_id: previous = null } = JSON.parse(text) as { previous_response_id?: string };
    const output = [
      { id: `msg_${asked.length}`, type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hi' }] },
    ];
    const response = { id: `resp_${asked.length}`, object: 'response', previous_response_id: previous, output: [] };
    return [
      { type: 'response.created', response: { ...response, status: 'in_progress' } },
      { type: 'response.completed', response: { ...response, status: 'completed', output } },
    ];
  };
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      const said = events(text);
      if ((JSON.parse(text) as { stream?: boolean }).stream !== true)
        return response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify((said[1] as { response: object }).response));
      response.setHeader('content-type', 'text/event-stream');
      return response.end(said.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
    });
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (!webSockets) return socket.end('HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n');
    return sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('message', (raw: Buffer) => {
        for (const event of events(raw.toString())) webSocket.send(JSON.stringify(event));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const gateway = await startGateway({
    config: {
      listen: { port: 0 },
      upstream: { base_url: `http://127.0.0.1:${port}/v1`, lanes: false },
      principals: [{ name: 'a', keys: [hashKey('k')], upstream_key: 'KEY', aliases: { alias: 'm' } }],
    },
    secret: () => Promise.resolve('sk-upstream'),
    onWarning: () => {},
  });
  t.after(() => {
    gateway.destroy();
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  return {
    asked,
    ask: async (body) => {
      const response = await fetch(`${gateway.url}/responses`, {
        method: 'POST',
        headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
        body,
      });
      assert.equal(response.status, 200);
      const text = await response.text();
      if (text.startsWith('{')) return JSON.parse(text) as Said;
      const last = text.trim().split('\n').at(-1) ?? '';
      return (JSON.parse(last.slice('data: '.length)) as { response: Said }).response;
    },
  };
}

describe('gateway: integers that JavaScript cannot hold', () => {
  for (const webSockets of [true, false])
    for (const stream of [true, false])
      test(`go up as they were written, ${webSockets ? 'over a WebSocket' : 'over HTTP'}, for ${stream ? 'a stream' : 'JSON'}`, async (t) => {
        const { asked, ask } = await setUp(t, webSockets);
        const question = `{"type":"message","role":"user","content":"${'x'.repeat(20_000)}","n":12345678901234567891}`;
        const rest = `"stream":${stream},"tools":${tools}}`;
        const first = await ask(`{"model":"m","input":[${question}],${rest}`);
        const answer = JSON.stringify(first.output[0]);
        const second = await ask(
          `{"model":"m","input":[${question},${answer},{"role":"user","content":"y","n":12345678901234567893}],${rest}`,
        );
        assert.equal(second.previous_response_id, webSockets ? first.id : null);
        await ask(`{"model":"alias","input":"z",${rest}`);
        const texts = asked.filter((text) => text.includes('"model":"m"'));
        assert.equal(texts.length, 3);
        for (const text of texts) assert.ok(text.includes(`"tools":${tools}`), text.slice(-300));
        assert.ok(texts[0]?.includes('"n":12345678901234567891'));
        assert.ok(texts[1]?.includes('"n":12345678901234567893'));
      });
});
