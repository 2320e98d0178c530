// A10, A11, A9, N1: an agent reaches a remote MCP server as a client reaches its provider: by the proxy of the environment, with Node's certificates.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { authority, expired, server as ofServer } from '../server/certificates.js';
import { ProxyServer } from '../server/proxy.js';

const program = fileURLToPath(new URL('../../../packages/turnwire/bin/turnwire.js', import.meta.url));

/** A server that introduces itself and has no tools; counts its requests. */
async function mcpServer(t: TestContext, tls?: { key: string; cert: string }) {
  let requests = 0;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    requests += 1;
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { id, method } = JSON.parse(body === '' ? '{}' : body) as { id?: number; method?: string };
      if (id === undefined) return void response.writeHead(request.method === 'POST' ? 202 : 405).end();
      const result =
        method === 'initialize' ? { protocolVersion: '2025-06-18', capabilities: { tools: {} } } : { tools: [] };
      response.writeHead(200, { 'content-type': 'application/json' });
      return void response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    });
  };
  const server = (tls === undefined ? createServer(answer) : createTlsServer(tls, answer)).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, requests: () => requests };
}

/** Runs an agent with the server until it has said its one sentence. */
async function run(t: TestContext, url: string, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'turnwire-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'ca.pem'), authority);
  writeFileSync(
    join(folder, 'agent.yaml'),
    `agents: { root: { model: emulator/any, instruction: Say hello., toolsets: [{ type: mcp, name: m, remote: { url: '${url}', transport_type: streamable } }] } }`,
  );
  const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_proxy$|^NODE_EXTRA/i.test(name)));
  const child = spawn(process.execPath, [program, 'run', 'agent.yaml', 'hello'], {
    cwd: folder,
    env: { ...plain, HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

describe('remote MCP server', () => {
  test('A10: is reached through a tunnel of the environment’s proxy', async (t) => {
    const server = await mcpServer(t);
    await using proxy = await ProxyServer.start();
    const { code, said } = await run(t, `http://origin.test:${server.port}/mcp`, {
      HTTP_PROXY: proxy.url('user:s3cret-word'),
    });
    assert.equal(code, 0, said);
    assert.ok(server.requests() > 0);
    assert.ok(proxy.asked.every(({ target }) => target === `origin.test:${server.port}`));
    assert.equal(
      proxy.asked[0]?.headers['proxy-authorization'],
      `Basic ${Buffer.from('user:s3cret-word').toString('base64')}`,
    );
    assert.equal(proxy.others, 0);
  });

  test('A10: is reached over TLS inside of the tunnel', async (t) => {
    const server = await mcpServer(t, ofServer);
    await using proxy = await ProxyServer.start({ tls: ofServer });
    const env = { https_proxy: proxy.url(), NODE_EXTRA_CA_CERTS: 'ca.pem' };
    const { code, said } = await run(t, `https://origin.test:${server.port}/mcp`, env);
    assert.equal(code, 0, said);
    assert.ok(server.requests() > 0 && proxy.asked.length > 0);
  });

  test('A10: is reached directly on this machine, or in NO_PROXY', async (t) => {
    const server = await mcpServer(t);
    await using proxy = await ProxyServer.start();
    const near = await run(t, `http://127.0.0.1:${server.port}/mcp`, { HTTP_PROXY: proxy.url() });
    assert.equal(near.code, 0, near.said);
    const exempt = { ALL_PROXY: proxy.url(), NO_PROXY: 'example.com,.invalid' };
    const far = await run(t, `http://nowhere.invalid:${server.port}/mcp`, exempt);
    assert.match(far.said, /the MCP server m cannot be used: .*(ENOTFOUND|EAI_AGAIN)/);
    assert.equal(proxy.asked.length, 0);
  });

  for (const status of [403, 407, 502]) {
    test(`A10, N1: a proxy that refuses (${status}) is named without its credentials, and is not bypassed`, async (t) => {
      const server = await mcpServer(t);
      await using proxy = await ProxyServer.start({
        connect: ({ socket }) => socket.end(`HTTP/1.1 ${status} No\r\n\r\n`),
      });
      const { code, said } = await run(t, `http://localhost.test:${server.port}/mcp`, {
        HTTP_PROXY: proxy.url('user:s3cret-word'),
      });
      assert.equal(code, 0, said);
      assert.match(said, /the run goes on without its tools/);
      const sentence = `the proxy ${proxy.url()} refuses a tunnel to localhost.test:${server.port} (status ${status})`;
      assert.ok(said.includes(sentence), said);
      assert.doesNotMatch(said, /s3cret/);
      assert.equal(server.requests(), 0);
    });
  }

  test('A10: a proxy that does not listen is named with the cause', async (t) => {
    const server = await mcpServer(t);
    const { said } = await run(t, `http://origin.test:${server.port}/mcp`, { HTTP_PROXY: 'http://127.0.0.1:9' });
    assert.match(said, /the proxy http:\/\/127\.0\.0\.1:9 cannot be used: connect ECONNREFUSED 127\.0\.0\.1:9/);
  });

  test('A9: a certificate of an unknown authority is named with a remedy', async (t) => {
    const server = await mcpServer(t, ofServer);
    const { code, said } = await run(t, `https://127.0.0.1:${server.port}/mcp`);
    assert.equal(code, 0, said);
    assert.match(said, /the run goes on without its tools/);
    assert.match(said, /UNABLE_TO_VERIFY_LEAF_SIGNATURE\); trust its certificate by NODE_EXTRA_CA_CERTS/);
    assert.equal(server.requests(), 0);
  });

  test('A9: an expired certificate is named, and no request is sent', async (t) => {
    const server = await mcpServer(t, expired);
    const { said } = await run(t, `https://127.0.0.1:${server.port}/mcp`);
    assert.match(said, /CERT_HAS_EXPIRED|UNABLE_TO_VERIFY/);
    assert.equal(server.requests(), 0);
  });

  test('A9: an authority of NODE_EXTRA_CA_CERTS is trusted', async (t) => {
    const server = await mcpServer(t, ofServer);
    const { code, said } = await run(t, `https://127.0.0.1:${server.port}/mcp`, { NODE_EXTRA_CA_CERTS: 'ca.pem' });
    assert.equal(code, 0, said);
  });
});
