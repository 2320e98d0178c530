// One server in a process of its own: an emulator, aimock, or plain node:http. Its parent starts it and reads its CPU and memory.
import { createServer, type ServerResponse } from 'node:http';
import { pathToFileURL } from 'node:url';
import { serveCommands } from '../server/measured-server.js';
import type { AddressInfo } from 'node:net';
import type { Setup, Usage } from './protocol.js';

interface Module {
  startEmulator: (options: object) => Promise<{ url: string }>;
}

const starts: Record<Setup['kind'], (setup: Setup) => Promise<string>> = { turnwire, aimock, floor };

serveCommands(
  (setup: Setup) => starts[setup.kind](setup),
  (): Usage => {
    const { user, system } = process.cpuUsage();
    return { cpuUs: user + system, peakMb: process.resourceUsage().maxRSS / 1024 };
  },
);

async function turnwire({ module, text, everyMs }: Setup): Promise<string> {
  const { startEmulator } = (await import(pathToFileURL(String(module)).href)) as Module;
  const latency = everyMs === 0 ? {} : { tokensPerSecond: 1000 / everyMs };
  const script = text === undefined ? {} : { script: { turns: [{ text }], after: 'repeat' } };
  return (await startEmulator({ ...script, latency })).url;
}

async function aimock(setup: Setup): Promise<string> {
  const file = new URL('../../servers/aimock.mjs', import.meta.url);
  const { start } = (await import(file.href)) as { start: (setup: Setup) => Promise<string> };
  return start(setup);
}

/** The least work for this API: parses the body as JSON, and writes the same prepared events. */
async function floor({ text, everyMs }: Setup): Promise<string> {
  const words = text?.match(/\s*\S+/g) ?? [];
  const events = [
    'response.created',
    'response.in_progress',
    'response.output_item.added',
    'response.content_part.added',
  ]
    .concat(words.map(() => 'response.output_text.delta'))
    .concat([
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
  const answer = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    let at = 0;
    const next = (): void => {
      for (; at < events.length; at += 1) {
        const type = events[at] ?? '';
        const payload = {
          type,
          sequence_number: at,
          item_id: 'msg_1',
          output_index: 0,
          content_index: 0,
          delta: words[at - 4],
        };
        response.write(`event: ${type}\ndata: ${JSON.stringify(payload)}\n\n`);
        if (everyMs > 0 && type.endsWith('.delta')) {
          at += 1;
          setTimeout(next, everyMs);
          return;
        }
      }
      response.end();
    };
    next();
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      JSON.parse(Buffer.concat(chunks).toString());
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}
