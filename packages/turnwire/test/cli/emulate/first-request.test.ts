import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { turnwire } from '../console.js';
import { scratch } from '../scratch.js';

/** A server that says hello, and sends /elsewhere on to the same server by another name. */
async function site(t: TestContext) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.headers.host} ${request.url}`);
    if (request.url === '/elsewhere') response.writeHead(302, { location: `http://localhost:${port}/` }).end();
    else response.end('hello');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { asked, port, at: (path: string) => `http://127.0.0.1:${port}${path}` };
}

interface Options {
  toolsets: string;
  url: string;
  top?: string;
  flags?: readonly string[];
}

/** What a call of fetch came to: its outcome, and what the model was told. */
async function fetched(t: TestContext, { toolsets, url, top = '', flags = [] }: Options): Promise<[string, string]> {
  const folder = await scratch(t, {
    'agent.yaml': `${top}\nagents: { root: { model: emulator/x, toolsets: [{ type: fetch, allow_private_ips: true }${toolsets}] } }\n`,
    'script.yaml': `turns: [{ calls: [{ name: fetch, arguments: { urls: ["${url}"] } }] }, { text: Done. }]\n`,
  });
  const argv = ['run', join(folder, 'agent.yaml'), 'Go.', '--json', '--script', join(folder, 'script.yaml'), ...flags];
  const { stdout } = await turnwire(argv, { cwd: folder });
  const line = stdout.split('\n').find((each) => each.includes('"tool_call_response"')) ?? '{}';
  const { outcome, response } = JSON.parse(line) as Record<string, string>;
  return [outcome ?? '', response ?? ''];
}

describe('fetch beside tools that read files: the first request to a host', () => {
  const beside = ', { type: filesystem }';

  test('without a terminal the request is refused, with the rule that would allow it, and nothing is sent', async (t) => {
    const { asked, port, at } = await site(t);
    const [outcome, response] = await fetched(t, { toolsets: beside, url: at('/?secret') });
    assert.equal(outcome, 'declined');
    assert.ok(response.endsWith(`permissions: { allow: ["fetch:urls=http://127.0.0.1:${port}/*"] }`), response);
    assert.deepEqual(asked, []);
  });

  test('the request is sent with that rule, with --yolo, and where fetch is the only such tool', async (t) => {
    const { at, port } = await site(t);
    const top = `permissions: { allow: ["fetch:urls=http://127.0.0.1:${port}/*"] }`;
    for (const more of [
      { toolsets: beside, top },
      { toolsets: beside, flags: ['--yolo'] },
      { toolsets: ', { type: think }' },
    ]) {
      const [outcome, response] = await fetched(t, { url: at('/'), ...more });
      assert.equal(outcome, 'done', response);
      assert.match(response, /hello/);
    }
  });

  test('a redirect to a host that needs a question is not followed', async (t) => {
    const { asked, at, port } = await site(t);
    const top = `permissions: { allow: ["fetch:urls=http://127.0.0.1:${port}/*"] }`;
    const [, response] = await fetched(t, { toolsets: beside, url: at('/elsewhere'), top });
    assert.match(response, /redirects to http:\/\/localhost:\d+\/, which was not approved/);
    assert.deepEqual(asked, [`127.0.0.1:${port} /elsewhere`]);
    const [, followed] = await fetched(t, { toolsets: beside, url: at('/elsewhere'), flags: ['--yolo'] });
    assert.match(followed, /hello/);
  });
});
