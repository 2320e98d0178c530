// Draws the pictures of README and docs anew from real runs on this machine: the demo as an animated SVG, and the admin page of the gateway in Chromium, with
// three clients and the emulator behind it. `npm run pictures -- gateway` draws one of them.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmulator } from '@turnwire/emulator';
import { hashKey, startGateway } from '@turnwire/gateway';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../..', import.meta.url));
const images = join(root, 'docs', 'images');
const pictures = { demo: drawDemo, gateway: drawGateway };
const wanted = process.argv.slice(2);
for (const [name, draw] of Object.entries(pictures)) if (wanted.length === 0 || wanted.includes(name)) await draw();

function drawDemo() {
  const cli = join(root, 'packages', 'turnwire', 'bin', 'turnwire.js');
  const { status } = spawnSync(process.execPath, [cli, 'demo', '--svg', join(images, 'demo.svg')], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

/** Draws the admin page with three clients of a team, one of which changes its tools and one an old item. The picture is taken while a turn runs. */
async function drawGateway() {
  const emulator = await startEmulator({
    latency: { firstTokenMs: 80 },
    script: { rules: [{ match: {}, reply: { text: 'Done: the next step.' } }] },
  });
  const names = ['agents', 'nightly-tests', 'editor'];
  const gateway = await startGateway({
    config: {
      listen: { port: 0 },
      upstream: { base_url: emulator.url },
      admin: { port: 0 },
      principals: names.map((name) => ({ name, keys: [hashKey(name)] })),
    },
  });
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1100, height: 1020 } });
    await Promise.all([
      converse(gateway.url, { key: 'agents', model: 'gpt-5.4', turns: 12, characters: 6000, stream: true }),
      converse(gateway.url, { key: 'nightly-tests', model: 'gpt-5.4-mini', turns: 8, characters: 2000, newToolsAt: 5 }),
      converse(gateway.url, { key: 'editor', model: 'gpt-5.4', turns: 6, characters: 9000, stream: true, editAt: 4 }),
    ]);
    await page.goto(gateway.adminUrl);
    const last = converse(gateway.url, { key: 'agents', model: 'gpt-5.4', turns: 1, characters: 2000, stream: true });
    await page.getByText('1 carry a turn').waitFor();
    await page.screenshot({ path: join(images, 'gateway-page.png') });
    await last;
  } finally {
    await browser.close();
    await gateway.close();
    await emulator.close();
  }
}

/** Runs turns that each send the whole history. */
async function converse(url, { key, model, turns, characters, stream = false, newToolsAt, editAt }) {
  const input = [];
  const tools = [];
  for (let turn = 1; turn <= turns; turn += 1) {
    input.push({ role: 'user', content: `Turn ${turn}. ${'A long result. '.repeat(characters / 15)}` });
    if (turn === newToolsAt) tools.push({ type: 'function', name: 'another', parameters: {}, strict: false });
    if (turn === editAt) input[0].content = 'Shortened by its client.';
    const response = await fetch(`${url}/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ model, input, tools, stream, store: false }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    input.push(...outputOf(text, stream));
  }
}

function outputOf(text, stream) {
  if (!stream) return JSON.parse(text).output;
  const data = /event: response\.completed\ndata: (.*)/.exec(text)?.[1];
  return JSON.parse(data).response.output;
}
