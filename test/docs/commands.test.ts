// The commands of the pages, run as they stand. Addresses are those of an emulator and of a gateway before it, and ports are free ones.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startGateway } from '@turnwire/gateway';
import { startEmulator } from 'turnwire/emulator';
import { blocksOf, root } from './pages.js';
import type { AddressInfo } from 'node:net';
import type { Gateway } from '@turnwire/gateway';
import type { Emulator } from 'turnwire/emulator';

interface Expected {
  /** What the command begins with, after `turnwire` where it is one. */
  command: string;
  prints: RegExp;
  /** @default 0 */
  status?: number;
  /** It serves until it is told to stop. */
  serves?: true;
}

const serving = /^The Responses API of http:\/\/127\.0\.0\.1:\d+ at http:\/\/127\.0\.0\.1:\d+\/v1$/m;
/** The address of a server. */
const listening = /http:\/\/127\.0\.0\.1:\d+\/v1/;

/** Each command of each page, in its order. */
const pages: Readonly<Record<string, readonly Expected[]>> = {
  'README.md': [
    { command: 'run agent.yaml', prints: /Which of the tests here are slow\?/ },
    { command: 'serve --upstream', prints: serving, serves: true },
    { command: 'emulate script.yaml', prints: listening, serves: true },
    { command: 'record --to', prints: listening, serves: true },
  ],
  'packages/turnwire/README.md': [
    // A test of its own runs it.
    { command: 'demo', prints: /Usage: turnwire demo/ },
    { command: 'run agent.yaml', prints: /Go\./ },
    { command: 'emulate', prints: listening, serves: true },
  ],
  'packages/gateway/README.md': [{ command: 'serve --upstream', prints: serving, serves: true }],
  'docs/gateway.md': [
    { command: 'serve --upstream', prints: serving, serves: true },
    { command: 'emulate --port', prints: listening, serves: true },
    { command: 'serve --upstream', prints: serving, serves: true },
    { command: 'curl -N', prints: /^event: response\.created\n[^]*^event: response\.completed\n/m },
  ],
  'docs/check.md': [
    // Nobody is there to ask.
    { command: 'check http', prints: /at most [\d,]+ tokens[^]*agree with --yes/, status: 2 },
    { command: 'check http', prints: /^\d+ passed, 0 failed/m },
    { command: 'check https', prints: /"failed":0/ },
    { command: 'check --list', prints: /^connecting\/get-without-upgrade/m },
  ],
  'docs/doctor.md': [
    { command: 'doctor https', prints: /^No problem found\.$/m },
    { command: 'doctor https', prints: /^ok +a turn over a WebSocket[^]*^No problem found\.$/m },
    { command: 'doctor http', prints: /"problems":0/ },
  ],
};

/** The commands of the blocks of a page that are this program's, or curl's; a line that ends with a backslash goes on. */
function commandsOf(page: string): string[] {
  const lines = blocksOf(page)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.replaceAll(/\\\n\s*/g, '').split('\n'));
  return lines.map((line) => line.replace(/\s+# .*$/, '')).filter((line) => /^(?:npx )?turnwire |^curl /.test(line));
}

describe('commands of the pages', { skip: process.platform === 'win32' && 'needs a POSIX shell' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'turnwire commands '));
  let emulator: Emulator;
  let gateway: Gateway;

  before(async () => {
    emulator = await startEmulator();
    gateway = await startGateway({ config: { listen: { port: 0 }, upstream: { base_url: emulator.url } } });
    mkdirSync(join(folder, 'bin'));
    const bin = join(root, 'packages', 'turnwire', 'bin', 'turnwire.js');
    const program = (name: string, line: string): void =>
      writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
    program('turnwire', `exec '${process.execPath}' '${bin}' "$@"`);
    program('npx', 'exec "$@"');
    writeFileSync(join(folder, 'agent.yaml'), 'agents:\n  root:\n    model: emulator/any\n');
    writeFileSync(join(folder, 'script.yaml'), 'turns:\n  - text: Hello.\n');
  });
  after(async () => {
    await gateway.close();
    await emulator.close();
    rmSync(folder, { recursive: true });
  });

  /** Runs a command in a folder of its own, to its end or until it serves. */
  async function run(written: string, { serves }: Expected): Promise<{ status: number | null; output: string }> {
    const command = written
      .replace('http://127.0.0.1:4000/v1', gateway.url)
      .replace(
        /https:\/\/(?:api\.openai\.com|gateway\.example)\/v1|http:\/\/127\.0\.0\.1:(?:4001|8080)\/v1/,
        emulator.url,
      )
      .replace(/--port \d+/, '--port 0')
      .replace('--wait 120', '--wait 1')
      .replace(/^turnwire demo$/, 'turnwire demo --help');
    const cwd = mkdtempSync(join(folder, 'run-'));
    for (const name of ['agent.yaml', 'script.yaml']) copyFileSync(join(folder, name), join(cwd, name));
    const env = {
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
      HOME: cwd,
      OPENAI_API_KEY: 'sk-of-a-test',
      GATEWAY_KEY: 'sk-of-a-test',
    };
    const child = spawn('sh', ['-c', `exec ${command}`], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    });
    const ended = once(child, 'close');
    const outputs = ['', ''];
    for (const [index, stream] of [child.stdout, child.stderr].entries())
      stream.on('data', (chunk: Buffer) => {
        outputs[index] += chunk.toString();
        if (!serves || child.killed || !listening.test(outputs[0] ?? '')) return;
        child.kill('SIGTERM');
      });
    await ended;
    return { status: child.exitCode, output: outputs.join('') };
  }

  for (const [page, expected] of Object.entries(pages))
    test(`${page}: each command ends, and prints what the page shows`, async () => {
      const commands = commandsOf(page);
      const begins = commands.map((command) => command.replace(/^(?:npx )?turnwire /, ''));
      for (const [index, { command }] of expected.entries()) assert(begins[index]?.startsWith(command), begins[index]);
      assert.equal(commands.length, expected.length, `a command that is not tried: ${commands.at(-1)}`);
      await Promise.all(
        expected.map(async (each, index) => {
          const command = commands[index] ?? '';
          const { status, output } = await run(command, each);
          assert.match(output, each.prints, command);
          assert.equal(status, each.status ?? 0, `${command}\n${output}`);
        }),
      );
    });

  test('docs/check.md: a failure is reported as the page shows it', async (t) => {
    const server = createServer((request, response) => {
      response.writeHead(404, { 'content-type': 'application/json', 'content-length': 2 }).end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const address = `http://127.0.0.1:${port}/v1`;
    const command = `turnwire check ${address} --only connecting/get-without-upgrade`;
    const { output, status } = await run(command, { command, prints: /./ });
    const block = blocksOf('docs/check.md').find(({ text }) => text.startsWith('FAIL'))?.text ?? '';
    assert(output.replaceAll(`:${port}`, ':8080').includes(block), output);
    assert.equal(status, 1);
  });
});
