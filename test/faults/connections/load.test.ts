// Q10: something before the server counts connections, or how many are dialled in a second.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFetch } from '@turnwire/client/fetch';
import { Caller } from '../caller.js';
import { serve } from '../model/serve.js';
import { Service } from '../model/service.js';
import { asked } from '../server/events.js';
import { eventually, read, scenario } from '../scenario.js';
import type { ClientOptions, Turn } from '@turnwire/client';
import { FaultServer } from '../server/server.js';
import type { Peer, Script } from '../server/peer.js';

/** Decides about each new connection, be it an upgrade or a POST. */
type Gate = (peer: Peer, admit: () => void) => void;

/** The model behind something that counts connections: a POST on one that was taken passes. Each answer takes `ms`. */
function behind(gate: Gate, ms = 20): Script {
  const script = serve({
    service: new Service(),
    course: () => ({ everyMs: ms / 4 }),
  });
  const taken = new Set<Peer>();
  const through = (peer: Peer, go: () => void): void => {
    if (taken.has(peer)) return go();
    gate(peer, () => {
      taken.add(peer);
      go();
    });
  };
  return {
    ...script,
    upgrade: (peer, head) => through(peer, () => script.upgrade?.(peer, head)),
    expect: (peer) => through(peer, () => peer.continue()),
    post: (peer, body, head) => through(peer, () => script.post?.(peer, body, head)),
  };
}

type Refuse = (peer: Peer) => void;
const refusals: Record<string, Refuse> = {
  429: (peer) => peer.http(429, '{"error":{"code":"rate_limit_exceeded","message":"no"}}'),
  503: (peer) => peer.http(503, '<h1>Service Unavailable</h1>', { 'content-type': 'text/html' }),
  '403, a page': (peer) => peer.http(403, '<h1>Forbidden</h1>', { 'content-type': 'text/html' }),
  RST: (peer) => peer.rst(),
};

/** So many connections in each `perMs`, as nginx does with `limit_req`. */
function rate(count: number, perMs: number, refuse: Refuse): Gate {
  const admitted: number[] = [];
  return (peer, admit) => {
    const now = performance.now();
    while (admitted[0] !== undefined && now - admitted[0] > perMs) admitted.shift();
    if (admitted.length >= count) return refuse(peer);
    admitted.push(now);
    admit();
  };
}

/** So many connections at the same time, as haproxy does with `maxconn`. */
function slots(count: number, refuse: Refuse): Gate {
  let open = 0;
  return (peer, admit) => {
    if (open >= count) return refuse(peer);
    open += 1;
    void peer.ended.then(() => (open -= 1));
    admit();
  };
}

/** The same, but what is too many waits until another ends, as before haproxy's frontend. */
function backlog(count: number): Gate {
  let open = 0;
  const waiting: (() => void)[] = [];
  const next = (): void => {
    if (open < count) waiting.shift()?.();
  };
  return (peer, admit) => {
    waiting.push(() => {
      // Its client has stopped waiting.
      if (peer.socket.destroyed) return next();
      open += 1;
      peer.socket.once('close', () => {
        open -= 1;
        next();
      });
      admit();
    });
    next();
  };
}

/** How quickly time passes for the client. */
const speed = 10;

/** @param speed how quickly time passes for the client, where it is not as quick as elsewhere */
const gates: readonly (readonly [
  name: string,
  gate: (speed: number) => Gate,
  options?: ClientOptions,
  speed?: number,
])[] = [
  ...Object.entries(refusals).flatMap(([name, refuse]) => [
    [`that lets three dials a second pass (${name})`, (speed: number) => rate(3, 1000 / speed, refuse)] as const,
    [`that has one slot (${name})`, () => slots(1, refuse)] as const,
  ]),
  // A turn fails here twice before it waits for its lane: on a busy machine ten turns take longer than a budget that passes ten times as fast.
  ['that has one slot, and a line before it', () => backlog(1), { timeouts: { dialMs: 1000 } }, 2],
];

const ten = Array.from({ length: 10 }, (_, index) => `question ${index}`);
const oneSlot = /one slot/;

describe('Q10: ten parallel turns all complete behind a proxy', () => {
  for (const [name, gate, options = {}, quick = speed] of gates) {
    // What differs between these is how the refusal is read; the rest is that of 429.
    const isVariant = /503|403/.test(name);
    for (const store of isVariant ? [false] : [true, false]) {
      for (const transport of isVariant ? (['auto'] as const) : (['auto', 'websocket'] as const)) {
        // A throttled POST counts as the API's own refusal where no connection is open.
        scenario(
          `${name}, ${transport}, store: ${store}`,
          behind(gate(quick)),
          { transport, ...options },
          async ({ client }) => {
            const turns = ten.map((input) => client.turn({ model: 'test', input, store }));
            const results = await Promise.all(turns.map((turn) => read(turn)));
            assert.deepEqual(
              results.map(({ error }) => error?.message),
              ten.map(() => undefined),
            );
            if (oneSlot.test(name)) assert.equal(new Set(turns.map(({ report }) => report.transport)).size, 1);
          },
          { quick, budgetMs: 12_000 * quick },
        );
      }
    }
  }

  // Here time passes as it does, and the way to the pool is the same for each refusal.
  for (const [name, gate, options = {}] of gates.filter(([name]) => !/503|403|RST/.test(name))) {
    test(`${name}, createFetch`, { timeout: 20_000 }, async () => {
      const server = await FaultServer.start(behind(gate(1)));
      const fetch = createFetch({ onWarning: false, ...options });
      try {
        const answers = await Promise.all(ten.map((input) => ask(fetch, server, { input })));
        assert.deepEqual(
          answers,
          ten.map(() => 200),
        );
      } finally {
        fetch.destroy();
        await server.close();
      }
    });
  }
});

async function ask(fetch: typeof globalThis.fetch, server: FaultServer, body: object): Promise<number> {
  const answer = await fetch(`${server.url}/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test-sentinel' },
    body: JSON.stringify({ model: 'test', stream: true, ...body }),
  });
  await answer.text();
  return answer.status;
}

describe('Q10: a refused dial', () => {
  for (const [name, refuse] of Object.entries(refusals)) {
    scenario(
      `does not take the connection of another conversation (${name})`,
      behind((peer, admit) => (peer.number === 2 ? refuse(peer) : admit())),
      {},
      async ({ client }) => {
        const caller = new Caller(client);
        assert.equal((await caller.ask('one')).error, undefined);
        const [mine, other] = await Promise.all([
          caller.ask('two'),
          read(client.turn({ model: 'test', store: false, input: 'another conversation' })),
        ]);
        assert.deepEqual([mine.plan, mine.turn.report.transport, other.error], ['delta', 'websocket', undefined]);
        const after = await caller.ask('three');
        assert.deepEqual([after.plan, after.turn.report.transport], ['delta', 'websocket']);
      },
    );
  }

  scenario(
    'makes its turn wait for a lane, and dials again meanwhile',
    behind(
      rate(1, 300, (peer) => peer.http(503)),
      1600,
    ),
    { transport: 'websocket' },
    async ({ client, server }) => {
      const turns = [client.turn({ model: 'test', input: 'one' }), client.turn({ model: 'test', input: 'two' })];
      await Promise.all(turns.map((turn) => read(turn)));
      // The answers take longer than it takes until a dial passes.
      assert.deepEqual(turns.map(({ report }) => report.attempts[0]?.connection).length, 2);
      assert.equal(new Set(turns.map(({ report }) => report.attempts[0]?.connection)).size, 2);
      assert.equal(server.peers.filter(({ creates }) => creates.length === 1).length, 2);
    },
    { quick: speed },
  );

  scenario(
    'surfaces with its own error where no other dial succeeds',
    behind((peer) => peer.http(503)),
    { recovery: { refusals: 'surface' } },
    async ({ client }) => {
      const { error } = await read(client.turn({ model: 'test', input: 'one' }));
      assert.deepEqual([error?.code, error?.status], ['request_refused', 503]);
    },
  );
});

/** A server that answers the first upgrade, and drops the others. A question with `long` in it is answered once `release` is called. */
function dropsUpgrades(expect?: Script['expect']): { script: Script; release: () => void } {
  const script = serve({ service: new Service() });
  const held: (() => void)[] = [];
  return {
    script: {
      ...script,
      upgrade: (peer, head) => (peer.number === 1 ? script.upgrade?.(peer, head) : undefined),
      create: (peer, create, count) => {
        const answer = (): void => script.create?.(peer, create, count);
        if (asked(create).includes('long')) held.push(answer);
        else answer();
      },
      ...(expect && { expect }),
    },
    release: () => {
      for (const answer of held.splice(0)) answer();
    },
  };
}

const attemptsOf = ({ report }: Turn): unknown[] =>
  report.attempts.map(({ transport, error, sentBytes }) => [transport, error, sentBytes > 0]);

describe('Q10: a dial that is never answered, while a connection is in use', () => {
  /** Two turns at once, the first of which keeps the only connection until `over`. */
  function unanswered(
    name: string,
    expect: Script['expect'],
    options: ClientOptions,
    over: (turn: Turn, server: FaultServer) => boolean,
    check: (turn: Turn, server: FaultServer) => void,
  ): void {
    const { script, release } = dropsUpgrades(expect);
    scenario(
      name,
      script,
      { timeouts: { dialMs: 2000 }, ...options },
      async ({ client, server }) => {
        const long = read(client.turn({ model: 'test', store: false, input: 'a long story' }));
        await eventually('the connection is in use', () => server.creates === 1);
        const turn = client.turn({ model: 'test', store: false, input: 'short' });
        const short = read(turn);
        await eventually('the second turn has gone its way', () => over(turn, server));
        release();
        assert.deepEqual(
          (await Promise.all([long, short])).map(({ error }) => error?.message),
          [undefined, undefined],
        );
        check(turn, server);
      },
      { quick: true },
    );
  }

  unanswered(
    'ends as SSE when the server asks for the body of a POST',
    undefined,
    {},
    ({ report }) => report.usage !== undefined,
    (turn, server) => {
      assert.deepEqual(attemptsOf(turn), [
        ['websocket', 'dial_timeout', false],
        ['sse', undefined, true],
      ]);
      assert.deepEqual([server.creates, server.posts], [1, 1]);
      assert.equal(server.peers.at(-1)?.heads.at(-1)?.headers['expect'], '100-continue');
    },
  );

  unanswered(
    'sends no body to a server that does not ask for it, and waits for the connection',
    () => {},
    {},
    ({ report }) => report.attempts.length === 3,
    (turn, server) => {
      assert.deepEqual(
        attemptsOf(turn).map((attempt) => (attempt as unknown[]).slice(0, 2)),
        [
          ['websocket', 'dial_timeout'],
          ['sse', 'dial_timeout'],
          ['websocket', undefined],
        ],
      );
      assert.deepEqual([server.creates, server.posts], [2, 0]);
    },
  );

  unanswered(
    'waits for the connection when POSTs go by a fetch of the caller, which cannot ask',
    undefined,
    { fetch: globalThis.fetch },
    // A third dial has failed: longer than a turn waits that can go by SSE.
    (_turn, server) => server.peers[2]?.socket.destroyed === true,
    (turn, server) => {
      assert.deepEqual(attemptsOf(turn), [['websocket', undefined, true]]);
      assert.deepEqual([server.creates, server.posts], [2, 0]);
    },
  );

  test('ends as SSE through createFetch, also while dials are paused', { timeout: 20_000 }, async () => {
    const { script, release } = dropsUpgrades();
    const server = await FaultServer.start(script);
    const fetch = createFetch({ onWarning: false, timeouts: { dialMs: 300 } });
    try {
      const long = ask(fetch, server, { input: 'a long story' });
      await eventually('the connection is in use', () => server.creates === 1);
      for (const stream of [true, false]) assert.equal(await ask(fetch, server, { input: 'short', stream }), 200);
      release();
      assert.equal(await long, 200);
      const asking = server.peers
        .flatMap(({ heads }) => heads)
        .filter(({ headers }) => headers['expect'] !== undefined);
      assert.deepEqual([server.creates, server.posts, asking.length], [1, 2, 2]);
    } finally {
      fetch.destroy();
      await server.close();
    }
  });
});
