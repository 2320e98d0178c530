import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { startGateway } from '@turnwire/gateway';
import { WebSocket } from 'ws';
import { bareUpstream } from './bare-upstream.js';
import type { TestContext } from 'node:test';
import type { ConfigInput } from '@turnwire/gateway';
import type { Asked } from './bare-upstream.js';

/** Frames in spellings of their own: what a parser would write anew in another way. */
const frames: readonly string[] = [
  '{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress","output":[],"x":1.0}}',
  '{ "type" : "vendor:thing",\t"big": 12345678901234567890, "small": 1e-7, "text": "\\u00e9\\/\\ud83d\\ude00 é" }',
  '{"type":"response.output_item.added","output_index":0,"item":{"id":"msg_1","type":"message","role":"assistant","status":"in_progress","content":[]},"new_field":{"stream_id":"mine"}}',
  '{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"\\"stream_id\\":\\"lane-1\\"","obfuscation":"aB"}',
  '{"type":"response.output_item.done","output_index":0,"item":{"id":"msg_1","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","annotations":[],"text":"\\"stream_id\\":\\"lane-1\\""}]}}',
  '{"type":"response.completed","response":{"id":"resp_1","object":"response","status":"completed","output":[{"id":"msg_1","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","annotations":[],"text":"\\"stream_id\\":\\"lane-1\\""}]}],"cost":0.10,"usage":null}}',
];

/** As servers with lanes do: each event of a named lane has its name, here as the second member. */
function named(frame: string, { stream_id: id }: Asked): string {
  return id === undefined ? frame : frame.replace(/^(\{\s*"type"\s*:\s*"[^"]*",)/, `$1"stream_id":"${id}",`);
}

async function serve(t: TestContext, base_url: string, config: Partial<ConfigInput> = {}): Promise<string> {
  const gateway = await startGateway({
    config: { listen: { port: 0 }, ...config, upstream: { base_url } },
    onWarning: () => {},
  });
  t.after(() => gateway.destroy());
  return gateway.url;
}

describe('gateway: the text of the upstream', () => {
  for (const webSockets of [true, false]) {
    test(`reaches an event stream byte for byte over ${webSockets ? 'a WebSocket with lanes' : 'SSE'}`, async (t) => {
      const upstream = await bareUpstream(t, {
        webSockets,
        frames: (asked) => frames.map((frame) => named(frame, asked)),
      });
      const url = await serve(t, upstream.url);
      const response = await fetch(`${url}/responses`, {
        method: 'POST',
        body: '{"model":"m","input":"x","stream":true}',
      });
      const text = await response.text();
      const data = text.split('\n\n').flatMap((block) => /^data: (.*)$/m.exec(block)?.[1] ?? []);
      assert.deepEqual(data, frames);
      assert.match(text, /^event: vendor:thing$/m);
    });
  }

  test('reaches a WebSocket byte for byte, except for the name of the lane', async (t) => {
    const upstream = await bareUpstream(t, { frames: (asked) => frames.map((frame) => named(frame, asked)) });
    const url = await serve(t, upstream.url);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/responses`);
    t.after(() => socket.terminate());
    const received: string[] = [];
    const ended = new Promise<void>((resolve) => {
      socket.on('message', (raw: Buffer) => {
        received.push(raw.toString());
        if (received.length === frames.length) resolve();
      });
    });
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send('{"type":"response.create","model":"m","input":"x"}');
    await ended;
    assert.deepEqual(received, frames);
  });

  test('is one JSON text to a call without a stream: the response as the upstream wrote it', async (t) => {
    const upstream = await bareUpstream(t, { frames: (asked) => frames.map((frame) => named(frame, asked)) });
    const url = await serve(t, upstream.url);
    const response = await fetch(`${url}/responses`, { method: 'POST', body: '{"model":"m","input":"x"}' });
    const last = frames.at(-1) ?? '';
    assert.equal(await response.text(), last.slice(last.indexOf('"response":') + '"response":'.length, -1));
  });
});

describe('gateway: headers', () => {
  const sent = {
    authorization: 'Bearer sk-1',
    'openai-organization': 'org-1',
    'openai-beta': 'responses_multi_agent=v1',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'session-id': 's-1',
    cookie: 'secret=1',
    'x-forwarded-for': '10.0.0.1',
    'x-team': 'blue',
    'user-agent': 'codex_cli_rs/0.171.0',
    originator: 'codex_cli_rs',
    'x-stainless-lang': 'python',
  };
  const ask = (url: string): Promise<Response> =>
    fetch(`${url}/responses`, { method: 'POST', headers: sent, body: '{"model":"m","input":"x","stream":true}' });

  test('of the identity are the only ones in an upgrade', async (t) => {
    const upstream = await bareUpstream(t, { frames: (asked) => frames.map((frame) => named(frame, asked)) });
    await (await ask(await serve(t, upstream.url))).text();
    const [upgrade = {}] = upstream.upgrades;
    assert.equal(upgrade.authorization, 'Bearer sk-1');
    assert.equal(upgrade['openai-organization'], 'org-1');
    assert.equal(upgrade['openai-beta'], 'responses_multi_agent=v1');
    for (const name of ['traceparent', 'session-id', 'cookie', 'x-forwarded-for', 'x-team'])
      assert.equal(upgrade[name], undefined, name);
    // Clients share a socket, which can carry the name of none of them.
    assert.match(upgrade['user-agent'] ?? '', /^turnwire\/\d/);
    assert.deepEqual([upgrade['originator'], upgrade['x-stainless-lang']], [undefined, undefined]);
  });

  test('of a request go with its POST, except for those of the connection, of proxies and of browsers', async (t) => {
    const upstream = await bareUpstream(t, {
      webSockets: false,
      frames: () => frames,
      headers: { 'x-ratelimit-remaining-tokens': '7', 'x-request-id': 'req_1' },
    });
    const response = await ask(await serve(t, upstream.url));
    await response.text();
    const [post = {}] = upstream.posts;
    for (const [name, value] of Object.entries(sent))
      if (name !== 'cookie' && name !== 'x-forwarded-for') assert.equal(post[name], value, name);
    for (const name of ['cookie', 'x-forwarded-for']) assert.equal(post[name], undefined, name);
    assert.equal(response.headers.get('x-ratelimit-remaining-tokens'), '7');
    assert.equal(response.headers.get('x-request-id'), 'req_1');
  });
});

describe('gateway: docs/gateway.md', () => {
  test('names each path and each flag', () => {
    const page = readFileSync(new URL('../../docs/gateway.md', import.meta.url), 'utf8');
    for (const word of [
      '/livez',
      '/readyz',
      '/metrics',
      '--check',
      '--open',
      '--drain-ms',
      'x-turnwire-plan',
      'SIGHUP',
      'SIGTERM',
    ])
      assert(page.includes(word), word);
  });
});
