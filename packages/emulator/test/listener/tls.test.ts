import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { after, before, describe, test } from 'node:test';
import { createTestAuthority, EmulatorError, startEmulator, type Emulator } from '../../dist/index.js';
import { json, RawSocket, terminal, waitFor } from '../wire.js';

describe('TLS', () => {
  const question = { model: 'any', input: 'one two' };
  let emulator: Emulator;
  let ca: string;

  before(async () => {
    const authority = await createTestAuthority();
    ca = authority.cert;
    emulator = await startEmulator({ tls: authority.issue({ hosts: ['127.0.0.1'] }) });
  });
  after(() => emulator.close());

  async function ask(headers: Record<string, string> = {}, options: TlsOptions = {}): Promise<string> {
    const asked = request(`${emulator.url}/responses`, { method: 'POST', ca, headers, agent: false, ...options });
    asked.end(JSON.stringify(question));
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    let body = '';
    for await (const chunk of response) body += String(chunk);
    return body;
  }

  test('a turn runs over HTTPS, and another over a secure WebSocket', async () => {
    assert.match(emulator.url, /^https:/);
    assert.equal(json(await ask()).output[0].content[0].text, 'one two');
    const socket = new RawSocket(emulator.url, {}, { ca });
    await once(socket.socket, 'open');
    assert.equal(terminal(await socket.ask(question)).type, 'response.completed');
    socket.close();
    await waitFor(() => emulator.journal.connections().every(({ closed }) => closed !== undefined));
    assert.deepEqual(
      emulator.journal.connections().map(({ kind, turns }) => [kind, turns]),
      [
        ['http', 1],
        ['websocket', 1],
      ],
    );
  });

  test('the fault reset resets the TCP connection under TLS', async () => {
    // In TLS 1.3 session tickets follow the handshake. libuv reports an end, and no reset, if it reads them together with the reset.
    const options = { maxVersion: 'TLSv1.2' } as const;
    await assert.rejects(ask({ 'x-turnwire-fault': 'reset' }, options), { code: 'ECONNRESET', syscall: 'read' });
  });

  test('the connection of a client that does not speak TLS is closed', async () => {
    await assert.rejects(fetch(emulator.url.replace('https:', 'http:')));
  });

  test('an invalid certificate, and a key of another certificate, are refused', async () => {
    const authority = await createTestAuthority();
    const pair = authority.issue({ hosts: ['127.0.0.1'] });
    for (const tls of [
      { ...pair, cert: 'x' },
      { ...pair, key: authority.issue({ hosts: ['127.0.0.1'] }).key },
    ])
      await assert.rejects(
        startEmulator({ tls }),
        (error) => error instanceof EmulatorError && error.code === 'invalid_option' && /"tls"/.test(error.message),
      );
  });
});
