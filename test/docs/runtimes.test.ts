import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { startEmulator, type Script } from '@turnwire/emulator';
import { blocksOf, root } from './pages.js';

/** O1: what runs a program, and how it is called. Bun and Deno are large: `npm run test:extra` installs them where this looks for them. */
const extra = join(root, '.cache', 'extra', 'node_modules');
const runtimes: Readonly<Record<string, readonly [program: string, args: readonly string[]]>> = {
  [`Node ${process.version}`]: [process.execPath, []],
  Bun: [join(extra, 'bun', 'bin', 'bun.exe'), ['run']],
  Deno: [join(extra, 'deno', process.platform === 'win32' ? 'deno.exe' : 'deno'), ['run', '--allow-all']],
};

interface Program {
  /** What stands in it, and in no other of its page. */
  holds: RegExp;
  /** What the model says. */
  script: Script;
  prints: RegExp;
}

const unused: Script = { turns: [{ text: 'unused' }] };
const hello: Script = { turns: [{ text: 'Hello there.' }] };

/** The programs of each README, and of the page of the gateway, in their order. */
const programs: Readonly<Record<string, readonly Program[]>> = {
  'README.md': [
    { holds: /new OpenAI/, script: unused, prints: /^$/ },
    { holds: /response\.output_text\.delta/, script: hello, prints: /^Hello there\.websocket \d+ \d+\n$/ },
    {
      holds: /startEmulator/,
      script: unused,
      prints: /^It rains in Oslo\.\n[^]*transport: (?:'websocket'|"websocket")/,
    },
  ],
  'packages/client/README.md': [
    { holds: /response\.output_text\.delta/, script: hello, prints: /^Hello there\.websocket\n$/ },
    { holds: /new OpenAI/, script: unused, prints: /^$/ },
  ],
  'packages/gateway/README.md': [
    { holds: /startGateway/, script: unused, prints: /^http:\/\/127\.0\.0\.1:\d+\/v1\n$/ },
  ],
  'docs/gateway.md': [{ holds: /startGateway/, script: unused, prints: /^http:\/\/127\.0\.0\.1:\d+\/v1\n$/ }],
  'packages/emulator/README.md': [{ holds: /startEmulator/, script: unused, prints: /^Hello\.\n$/ }],
  'packages/turnwire/README.md': [{ holds: /startEmulator/, script: unused, prints: /^200 1\n$/ }],
};

/**
 * O6: prints how the gateway answers where its upstream never does. An HTTP client that a runtime puts in place of undici would know no time limit,
 * and this would not end.
 */
const silentUpstream = `
import { createServer } from 'node:http';
import { startGateway } from '@turnwire/gateway';

const upstream = createServer(() => undefined);
await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
const { port } = upstream.address() as { port: number };
const gateway = await startGateway({
  config: {
    listen: { port: 0 },
    upstream: { base_url: \`http://127.0.0.1:\${port}/v1\`, first_event_ms: 200 },
  },
});
const answer = await fetch(\`\${gateway.url}/models\`);
console.log(answer.status, ((await answer.json()) as { error: { code: string } }).error.code);
await gateway.close();
upstream.closeAllConnections();
upstream.close();
`;

/** O6: prints where the HTTP of MCP asks for a tunnel, given a proxy. */
const proxiedMcp = `
import { createServer } from 'node:http';
import { openHttp } from '../../packages/turnwire/dist/agent/tools/mcp/transports/http.js';

const proxy = createServer().on('connect', ({ url }, socket) => {
  console.log('CONNECT', url);
  socket.end('HTTP/1.1 403 Forbidden\\r\\n\\r\\n');
});
await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
process.env['http_proxy'] = \`http://127.0.0.1:\${(proxy.address() as { port: number }).port}\`;
const http = openHttp();
await http.request(new URL('http://mcp.invalid:8080/'), { method: 'GET', headers: {} }).catch(() => undefined);
http.close();
proxy.close();
`;

const blocks = Object.keys(programs).flatMap((page) =>
  blocksOf(page)
    .filter(({ language }) => language === 'ts')
    .map(({ text }) => ({ page, text })),
);

test('READMEs: each program has a test in this file', () => {
  for (const [page, expected] of Object.entries(programs))
    assert.deepEqual(
      blocks
        .filter((block) => block.page === page)
        .map(({ text }) => expected.findIndex(({ holds }) => holds.test(text))),
      [...expected.keys()],
      page,
    );
});

describe('programs on each runtime', () => {
  // Inside the repository, because that is where the packages can be resolved from.
  mkdirSync(join(root, 'dist-test'), { recursive: true });
  const folder = mkdtempSync(join(root, 'dist-test', 'readme-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const files = blocks.map(({ text }, index) => {
    writeFileSync(join(folder, `${index}.mts`), `${text}\nexport {};\n`);
    return `${index}.mts`;
  });
  writeFileSync(join(folder, 'silent-upstream.mts'), silentUpstream);
  writeFileSync(join(folder, 'proxied-mcp.mts'), proxiedMcp);
  files.push('silent-upstream.mts', 'proxied-mcp.mts');
  const compilerOptions = { composite: false, declaration: false, rootDir: '.', outDir: '.', tsBuildInfoFile: null };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.base.json', compilerOptions, files }),
  );
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const compiled = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  assert.equal(compiled.status, 0, compiled.stdout);

  for (const [runtime, [program, args]] of Object.entries(runtimes)) {
    const skip = !existsSync(program) && `${runtime} is not installed; "npm run test:extra" installs it`;

    const run = async (name: string, environment: Readonly<Record<string, string>> = {}): Promise<string> => {
      const child = spawn(program, [...args, join(folder, `${name}.mjs`)], {
        cwd: root,
        env: { PATH: process.env['PATH'], NO_COLOR: '1', ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 60_000,
      });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      await once(child, 'close');
      assert.equal(child.exitCode, 0, stderr);
      return stdout;
    };

    for (const [index, { script, prints }] of Object.values(programs).flat().entries()) {
      const page = blocks[index]?.page;
      test(`${runtime} runs number ${index + 1}, of ${page}, to its end`, { skip }, async (t) => {
        const emulator = await startEmulator({ script });
        t.after(() => emulator.close());
        assert.match(await run(`${index}`, { OPENAI_BASE_URL: emulator.url, OPENAI_API_KEY: 'any' }), prints);
      });
    }

    test(`gateway on ${runtime}: gives up an upstream that does not answer in time`, { skip }, async () => {
      assert.equal(await run('silent-upstream'), '504 upstream_timeout\n');
    });

    test(`MCP on ${runtime}: reaches its servers through the proxy of the environment`, { skip }, async () => {
      assert.equal(await run('proxied-mcp'), 'CONNECT mcp.invalid:8080\n');
    });
  }
});
