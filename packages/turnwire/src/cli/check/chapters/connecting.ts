import { exchange, NoAnswer, seconds } from '../../probe/http.js';
import { ProbeSocket, UpgradeRefused } from '../../probe/socket.js';
import { Deviation, expect, NotApplicable } from '../deviation.js';
import { expectEnvelope } from '../expectations/error-envelope.js';
import type { HttpAnswer } from '../../probe/http.js';
import type { Probe } from '../probe.js';
import type { Rule } from '../rule.js';

export const connecting: readonly Rule[] = [
  {
    id: 'connecting/get-without-upgrade',
    title: 'answers a GET without an upgrade with 426, so that clients fall back to HTTP at once',
    certainty: 'observed',
    protocol: ['P9'],
    run: async (probe) => {
      const { status, headers } = await probe.request({ method: 'GET', path: 'responses' });
      expect(status === 426, `status ${status}; 426 is expected`);
      const { upgrade } = headers;
      expect(
        upgrade !== undefined && /\bwebsocket\b/i.test(upgrade),
        'a 426 names what to upgrade to: the header "upgrade: websocket" is missing',
      );
    },
  },
  {
    id: 'connecting/head',
    title: 'answers HEAD, with which clients look whether anybody is there',
    certainty: 'observed',
    protocol: ['P9'],
    run: async (probe) => {
      const { status } = await probe.request({ method: 'HEAD', path: 'responses' });
      expect(status < 500 && status !== 404, `status ${status}; 200, 401, 405 and 426 say that the endpoint is there`);
    },
  },
  {
    id: 'connecting/upgrade',
    title: 'opens a WebSocket at the path of the POST, without a subprotocol',
    certainty: 'documented',
    protocol: ['P1', 'P5'],
    run: async (probe) => {
      const socket = await open(probe);
      await socket.close();
    },
  },
  {
    id: 'connecting/beta-header',
    title: 'opens a WebSocket also with the beta header that Codex sends',
    certainty: 'observed',
    protocol: ['P3'],
    run: async (probe) => {
      await (await probe.connect()).close();
      await (await probe.connect({ headers: { 'openai-beta': 'responses_websockets=2026-02-06' } })).close();
    },
  },
  {
    id: 'connecting/ping',
    title: 'answers a ping within ten seconds',
    certainty: 'observed',
    protocol: ['P68'],
    run: async (probe) => {
      const socket = await probe.connect();
      const limitMs = Math.min(10_000, probe.run.target.timeoutMs);
      expect((await socket.ping(limitMs)) !== undefined, `no pong came within ${seconds(limitMs)}`);
    },
  },
  {
    id: 'connecting/close',
    title: 'answers the closing handshake',
    certainty: 'documented',
    protocol: ['P32'],
    run: async (probe) => {
      const socket = await probe.connect();
      const limitMs = Math.min(5000, probe.run.target.timeoutMs);
      const code = await socket.close(limitMs);
      expect(
        code === 1000,
        `close 1000 was answered with ${code}; the same code is expected within ${seconds(limitMs)}`,
      );
    },
  },
  {
    id: 'connecting/key-missing',
    title: 'refuses a POST without a key with 401 and an error in JSON',
    certainty: 'documented',
    protocol: ['P27'],
    run: async (probe) => {
      expectUnauthorized(await withoutTurn(probe, 'none'));
    },
  },
  {
    id: 'connecting/key-wrong',
    title: 'refuses a POST with a wrong key with 401 and an error in JSON',
    certainty: 'documented',
    protocol: ['P27'],
    run: async (probe) => {
      expectUnauthorized(await withoutTurn(probe, 'wrong'));
    },
  },
  {
    id: 'connecting/upgrade-key-missing',
    title: 'refuses an upgrade without a key with 401, before it opens a WebSocket',
    certainty: 'observed',
    protocol: ['P9'],
    run: async (probe) => {
      await withoutTurn(probe, 'none');
      await (await probe.connect()).close();
      const socket = await ProbeSocket.open(probe.run.target, probe.trace, { credential: 'none' }).catch(
        (error: unknown) => {
          if (error instanceof UpgradeRefused) return error;
          throw new Deviation(`the upgrade had no answer: ${String(error)}`, { cause: error });
        },
      );
      if (socket instanceof ProbeSocket) socket.leave();
      expect(socket instanceof UpgradeRefused, 'the WebSocket opened without a key, which a POST needs');
      expect(socket.status === 401, `status ${socket.status}; 401 is expected`);
      expectEnvelope(socket.json);
    },
  },
];

/** Opens a WebSocket for a rule about opening one: a failure is that of the rule. */
async function open(probe: Probe): Promise<ProbeSocket> {
  probe.usesSocket = true;
  try {
    return await ProbeSocket.open(probe.run.target, probe.trace);
  } catch (error) {
    if (!(error instanceof UpgradeRefused || error instanceof NoAnswer)) throw error;
    if (probe.profile.name === 'gateway' && error instanceof UpgradeRefused && error.status === 426)
      throw new NotApplicable('the gateway serves HTTP alone, and says so with 426');
    throw new Deviation(error.message, { cause: error });
  }
}

/** POSTs a request that no server answers with a turn, so that a server without keys spends nothing. @throws NotApplicable for a server that asks for no key */
async function withoutTurn(probe: Probe, credential: 'none' | 'wrong'): Promise<HttpAnswer> {
  if (probe.run.target.key === undefined)
    throw new NotApplicable('no key was given for this server: name it with --key-from VARIABLE');
  const request = { method: 'POST', path: 'responses', body: '{}', credential } as const;
  const answer = await probe.request(request);
  probe.trace.received(answer.body);
  const own = await exchange(probe.run.target, probe.trace, { method: 'POST', path: 'responses', body: '{}' });
  if (answer.status === own.status && answer.body === own.body)
    throw new NotApplicable('the server does not ask for a key');
  if (answer.status === own.status && answer.status === 400)
    throw new NotApplicable('the server looks at the request before the key, or asks for none');
  return answer;
}

function expectUnauthorized({ status, json }: HttpAnswer): void {
  expect(status === 401, `status ${status}; 401 is expected`);
  expectEnvelope(json);
}
