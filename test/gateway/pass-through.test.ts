import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { startGateway } from '@turnwire/gateway';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** What is written to the port and read until the connection ends, one character for each byte. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let said = '';
    socket.setEncoding('latin1').on('data', (piece: string) => (said += piece));
    socket.once('end', () => resolve(said)).once('error', reject);
    socket.write(text, 'latin1');
  });
}

function get(target: string, more = ''): string {
  return `GET ${target} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n${more}\r\n`;
}

async function setUp(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  query = '',
): Promise<{ upstream: number; gateway: number }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const gateway = await startGateway({
    config: { listen: { port: 0 }, upstream: { base_url: `http://127.0.0.1:${port}/v1${query}` } },
    onWarning: () => {},
  });
  t.after(() => {
    gateway.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { upstream: port, gateway: gateway.port };
}

describe('gateway: paths that pass through', () => {
  test('reach the upstream with the path and the query as they were written', async (t) => {
    const asked: (string | undefined)[] = [];
    const { gateway } = await setUp(t, ({ url }, response) => {
      asked.push(url);
      response.end();
    });
    const targets = [
      '/v1/files?include[]=a&include[]=b',
      '/v1/files?name=a%20b',
      '/v1/files?name=a+b',
      '/v1/files?flag',
      '/v1/files?',
      '/v1/files?name=%E4',
      "/v1/files?name=~!*'();x=1?y=http://a/b",
      '/v1/files/a{b}',
      '/v1/files/a%20b:c@d',
      '/v1/files/',
    ];
    for (const target of targets) assert.match(await exchange(gateway, get(target)), /^HTTP\/1\.1 200 /);
    assert.deepEqual(asked, targets);
  });

  test('keep the query of the base before their own', async (t) => {
    const asked: (string | undefined)[] = [];
    const { gateway } = await setUp(
      t,
      ({ url }, response) => {
        asked.push(url);
        response.end();
      },
      '?api-version=a%20b',
    );
    for (const target of ['/v1/files', '/v1/files?x=%20'])
      assert.match(await exchange(gateway, get(target)), /^HTTP\/1\.1 200 /);
    assert.deepEqual(asked, ['/v1/files?api-version=a%20b', '/v1/files?api-version=a%20b&x=%20']);
  });

  test('answer with the bytes of the upstream in their headers, and with its reason', async (t) => {
    const answer = (request: IncomingMessage): void => {
      request.socket.end(
        'HTTP/1.1 200 Fine\r\ncontent-disposition: attachment; filename="é€.txt"\r\nx-note: ü\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok',
      );
    };
    const { upstream, gateway } = await setUp(t, answer);
    for (const method of ['GET', 'HEAD']) {
      const ask = get('/v1/files/f').replace('GET', method);
      const [direct, through] = await Promise.all([exchange(upstream, ask), exchange(gateway, ask)]);
      const told = (text: string): string[] =>
        text.split('\r\n').filter((line) => /^(HTTP|content-d|x-note)/.test(line));
      assert.deepEqual(told(through), told(direct));
      assert.equal(told(direct).length, 3);
    }
  });

  test('and all others refuse two hosts', async (t) => {
    const { gateway } = await setUp(t, (_, response) => void response.end());
    const upgrade =
      'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
    for (const [path, more] of [
      ['/v1/files', ''],
      ['/v1/responses', ''],
      ['/v1/responses', upgrade],
    ] as const)
      assert.match(
        await exchange(gateway, get(path, `Host: other.example\r\n${more}`)),
        /^HTTP\/1\.1 400 [\s\S]*more than one host/,
      );
  });

  test('refuse a body in a transfer coding that HTTP/1.1 has no frames for', async (t) => {
    const { gateway } = await setUp(t, (_, response) => void response.end());
    for (const path of ['/v1/files', '/v1/responses']) {
      const ask = get(path, 'transfer-encoding: gzip, chunked\r\n').replace('GET', 'POST');
      const said = await exchange(gateway, `${ask}0\r\n\r\n`);
      assert.match(said, /^HTTP\/1\.1 501 [\s\S]*"unsupported_transfer_encoding"/);
    }
  });
});
