// Real balancers, with the lines of docs/cluster.md.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { needs, startMiddlebox } from '../../../packages/turnwire/dist-test/cli/doctor/middlebox.js';
import { bareUpstream } from '../bare-upstream.js';
import { message } from '../setup.js';
import { joined, startNode } from './nodes.js';
import { Shared, startRedis, withoutRedis } from './redis.js';
import { startUpstream } from './chaos/upstream.js';
import type { Place } from '../../../packages/turnwire/dist-test/cli/doctor/middlebox.js';
import type { Upstream } from './chaos/upstream.js';
import type { Node } from './nodes.js';
import type { RedisProcess } from './redis.js';

const page = readFileSync(new URL('../../../docs/cluster.md', import.meta.url), 'utf8');

/** What the page says, for gateways and an address of the test. */
function linesOf(language: string, nodes: readonly Node[], { port }: Place): string {
  const [, block = ''] = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(page) ?? [];
  assert.match(block, /gateway-3\.internal:4000/);
  return block
    .replaceAll(/gateway-(\d)\.internal:4000/g, (_, number: string) => {
      const url = nodes[Number(number) - 1]?.gateway.url ?? '';
      return new URL(url).host;
    })
    .replace('127.0.0.1:4000', `127.0.0.1:${port}`);
}

const configurations = {
  nginx:
    (nodes: readonly Node[], change: (lines: string) => string) =>
    (place: Place): string =>
      `
      daemon off;
      master_process off;
      ${process.getuid?.() === 0 ? 'user root;' : ''}
      pid ${place.folder}/pid;
      events {}
      http {
        access_log off;
        ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${place.folder}/${each};`).join('\n')}
        ${change(linesOf('nginx', nodes, place))}
      }`,
  haproxy:
    (nodes: readonly Node[], change: (lines: string) => string) =>
    (place: Place): string =>
      `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
${change(linesOf('haproxy', nodes, place))}`,
};

/** Round robin instead of a hash. */
const withoutHash = (lines: string): string =>
  lines
    .replace(/^ *hash \$conversation.*\n/m, '')
    .replace('balance hash var(txn.conversation)', 'balance roundrobin')
    .replace(/^ *hash-type.*\n/m, '');

/** Three conversations of four turns through a balancer, each with its session in a header. */
async function converse(port: number, upstream: Upstream, params: object): Promise<{ deltas: number; fulls: number }> {
  const before = { ...upstream.counts };
  for (const session of ['a', 'b', 'c']) {
    const history: object[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      history.push(message(`Session ${session} of ${port}, turn ${turn}.`));
      const response = await fetch(`http://127.0.0.1:${port}/v1/responses`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer sk-a', 'session-id': session },
        body: JSON.stringify({ model: 'any', ...params, input: history }),
      });
      assert.equal(response.status, 200);
      const { output } = (await response.json()) as { output: object[] };
      history.push(...output);
    }
  }
  const { creates, deltas } = upstream.counts;
  return { deltas: deltas - before.deltas, fulls: creates - before.creates - (deltas - before.deltas) };
}

describe('cluster: behind balancers', { skip: withoutRedis }, () => {
  let redis: RedisProcess;
  let upstream: Upstream;
  let together: Node[];
  let alone: Node[];
  const shared = new Shared();
  after(() => shared.end());
  before(async () => {
    redis = await startRedis(shared);
    upstream = await startUpstream(shared);
    const start = (name: string, store?: RedisProcess) =>
      startNode(shared, upstream.url, store, store && { cluster: { node: name } });
    together = await Promise.all(['n1', 'n2', 'n3'].map((name) => start(name, redis)));
    alone = await Promise.all(['n1', 'n2', 'n3'].map((name) => start(name)));
    await joined(redis, ...together);
  });

  for (const name of ['nginx', 'haproxy'] as const)
    describe(name, needs(name), () => {
      test('its hash sends a session to one node, which gives deltas without a store', async (t) => {
        const port = await startMiddlebox(
          t,
          name,
          configurations[name](alone, (lines) => lines),
        );
        assert.deepEqual(await converse(port, upstream, { store: false }), { deltas: 9, fulls: 3 });
      });

      test('its round robin with Redis gives deltas for stored chains and for those on sockets', async (t) => {
        const port = await startMiddlebox(t, name, configurations[name](together, withoutHash));
        for (const params of [{}, { store: false }]) {
          const { deltas, fulls } = await converse(port, upstream, params);
          assert.equal(deltas + fulls, 12);
          // What a node has told may come a moment after the next turn.
          assert(deltas >= 7, `${deltas} deltas`);
        }
      });
    });

  test(
    'haproxy: the sticky token leads to the node that gave it, and the upstream gets its own token back',
    needs('haproxy'),
    async (t) => {
      const posts = await bareUpstream(t, {
        webSockets: false,
        headers: { 'x-codex-turn-state': 'of-the-upstream' },
        frames: () => [
          JSON.stringify({ type: 'response.created', response: { id: 'resp_1', status: 'in_progress', output: [] } }),
          JSON.stringify({ type: 'response.completed', response: { id: 'resp_1', status: 'completed', output: [] } }),
        ],
      });
      const nodes = await Promise.all(
        ['n1', 'n2', 'n3'].map((node) =>
          startNode(t, posts.url, redis, { cluster: { node }, upstream: { transport: 'sse' } }),
        ),
      );
      const port = await startMiddlebox(t, 'haproxy', configurations.haproxy(nodes, withoutHash));
      const ask = async (token?: string): Promise<string> => {
        const response = await fetch(`http://127.0.0.1:${port}/v1/responses`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            authorization: 'Bearer sk-a',
            ...(token !== undefined && { 'x-codex-turn-state': token }),
          },
          body: JSON.stringify({ model: 'any', input: 'Hello.', stream: true }),
        });
        await response.text();
        return response.headers.get('x-codex-turn-state') ?? '';
      };
      const first = await ask();
      assert.match(first, /^n[123]\./);
      assert(!first.includes('of-the-upstream'));
      const nodesOf = await Promise.all([first, first, first, first].map(ask));
      assert.deepEqual(new Set(nodesOf.map((token) => token.slice(0, 3))), new Set([first.slice(0, 3)]));
      assert.deepEqual(
        posts.posts.map((headers) => headers['x-codex-turn-state']),
        [undefined, ...Array.from({ length: 4 }, () => 'of-the-upstream')],
      );
      assert.match(await ask(`${first}x`), /^n[123]\./);
      assert.equal(posts.posts.at(-1)?.['x-codex-turn-state'], `${first}x`);
    },
  );
});
