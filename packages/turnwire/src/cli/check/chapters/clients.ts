import { gzipSync } from 'node:zlib';
import { isJson, part } from '../../probe/turn.js';
import { responseOf } from '../probe.js';
import { expect } from '../deviation.js';
import { calledIn, forcedCall } from './events.js';
import { expectResponse } from './sse.js';
import type { HttpAnswer } from '../../probe/http.js';
import type { Rule } from '../rule.js';

/** Headers of Codex, opencode and openai-node that a server need not know. */
const headersOfClients = {
  originator: 'codex_cli_rs',
  'session-id': '0199a213-81a0-7800-8aa0-000000000000',
  'thread-id': '0199a213-81a0-7800-8aa0-000000000000',
  'x-codex-turn-metadata': '{"turn_id":"1"}',
  'x-client-request-id': '0199a213-81a0-7800-8aa0-000000000001',
  'x-session-affinity': 'ses_1',
  'x-stainless-lang': 'js',
};

export const clients: readonly Rule[] = [
  {
    id: 'clients/accept',
    title: 'streams because the body says so, also where accept is application/json, as openai-node sends it',
    certainty: 'observed',
    protocol: ['P22'],
    turns: 2,
    run: async (probe) => {
      const { turn } = await probe.stream(probe.create(), { accept: 'application/json' });
      responseOf(turn);
      expectResponse(await probe.post(probe.create(), { headers: { accept: 'text/event-stream' } }));
    },
  },
  {
    id: 'clients/headers',
    title: 'takes the headers that Codex, opencode and openai-node add, over both transports',
    certainty: 'observed',
    protocol: ['P10', 'P132'],
    turns: 2,
    run: async (probe) => {
      responseOf((await probe.stream(probe.create(), headersOfClients)).turn);
      await probe.connect();
      const socket = await probe.connect({ headers: headersOfClients });
      responseOf(await probe.turn(socket, probe.create()));
    },
  },
  {
    id: 'clients/unknown-fields',
    title: 'takes the fields that Codex sends with each request, client_metadata included',
    certainty: 'observed',
    protocol: ['P35', 'P129'],
    turns: 1,
    run: async (probe) => {
      const fields = {
        include: ['reasoning.encrypted_content'],
        prompt_cache_key: '0199a213-81a0-7800-8aa0-000000000000',
        parallel_tool_calls: false,
        tool_choice: 'auto',
        tools: [],
        client_metadata: { 'x-codex-installation-id': '1' },
      };
      responseOf((await probe.stream(probe.create(fields))).turn);
    },
  },
  {
    id: 'clients/stream-in-frame',
    title: 'ignores stream: true in a create on a WebSocket, which Codex and others send',
    certainty: 'observed',
    protocol: ['P36', 'P129'],
    except: { openresponses: 'it forbids the field' },
    turns: 1,
    run: async (probe) => {
      const socket = await probe.connect();
      responseOf(await probe.turn(socket, probe.create({ stream: true })));
    },
  },
  {
    id: 'clients/processed',
    title: 'passes over response.processed, which Codex sends',
    certainty: 'observed',
    protocol: ['P33'],
    turns: 2,
    run: async (probe) => {
      const socket = await probe.connect();
      const { id } = await probe.success(socket, probe.create());
      socket.send({ type: 'response.processed', response_id: id });
      responseOf(await probe.turn(socket, probe.create()));
    },
  },
  {
    id: 'clients/history',
    title: 'takes a full history with a call and its result, as every client sends it after a loss',
    certainty: 'documented',
    protocol: ['P41', 'P98'],
    turns: 2,
    run: async (probe) => {
      const { turn } = await probe.stream(probe.create(forcedCall));
      responseOf(turn);
      const items = turn.events
        .filter(({ type }) => type === 'response.output_item.done')
        .map(({ body }) => part(body, 'item'));
      const output = { type: 'function_call_output', call_id: calledIn(turn.events)['call_id'], output: 'It rains.' };
      const input = [{ role: 'user', content: forcedCall['input'] }, ...items, output];
      responseOf((await probe.stream(probe.create({ tools: forcedCall['tools'], input }))).turn);
    },
  },
  {
    id: 'clients/compressed-body',
    title: 'decodes a body in gzip, or says 415; not that it is no JSON',
    certainty: 'observed',
    protocol: ['P27'],
    run: async (probe) => {
      const told = ({ status, json }: HttpAnswer): string => {
        const { code, message, param } = part(json, 'error');
        return [status, code, param, message].map(String).join(' ');
      };
      const plain = await probe.post('{}');
      const packed = await probe.post('{}', { body: gzipSync('{}'), headers: { 'content-encoding': 'gzip' } });
      expect(
        packed.status === 415 || told(packed) === told(plain),
        `as it is the body was answered with "${told(plain)}", in gzip with "${told(packed)}"`,
      );
    },
  },
  {
    id: 'clients/models',
    title: 'lists its models at GET /models, by which clients look whether it is there',
    certainty: 'observed',
    protocol: ['P9'],
    except: { openresponses: 'it does not specify this path', chatgpt: 'it has a list of another form' },
    run: async (probe) => {
      const { status, json } = await probe.request({ method: 'GET', path: 'models' });
      expect(status === 200, `status ${status}; 200 is expected`);
      const models = isJson(json) ? json['data'] : undefined;
      expect(
        Array.isArray(models) && models.every((model) => isJson(model) && typeof model['id'] === 'string'),
        'the body is not {"data": [{"id": …}]}',
      );
    },
  },
];
