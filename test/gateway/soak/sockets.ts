// npm run soak -- sockets [--minutes 10] [--sockets 2000] [--streams 500]: many clients of `turnwire serve`, and what memory they take.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocket, WebSocketServer } from 'ws';
import type { AddressInfo } from 'node:net';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    sockets: { type: 'string', default: '2000' },
    streams: { type: 'string', default: '500' },
  },
});
const [minutes, sockets, streams] = [values.minutes, values.sockets, values.streams].map(Number) as [
  number,
  number,
  number,
];
if (!(minutes > 0) || !Number.isInteger(sockets) || !Number.isInteger(streams) || streams > sockets || streams < 1) {
  console.error('--minutes takes a number, --sockets and --streams whole numbers; no more streams than sockets.');
  process.exit(2);
}

/** Between two events of a stream. */
const everyMs = 500;
/** Of a turn; then the stream goes on with the next one. */
const eventsPerTurn = 60;
const keys = 20;
const opensPerTick = 20;

const upstream = await startUpstream();
const turnwire = fileURLToPath(new URL('../../../packages/turnwire/bin/turnwire.js', import.meta.url));
const gateway = spawn(process.execPath, [turnwire, 'serve', '--upstream', upstream, '--port', '0', '--json'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [line] = (await once(gateway.stdout, 'data')) as [Buffer];
gateway.stdout.resume();
const { url } = JSON.parse(line.toString().split('\n')[0] ?? '') as { url: string };

let open = 0;
let events = 0;
let turns = 0;
const failures: string[] = [];
let isEnding = false;

const all: WebSocket[] = [];
for (let number = 0; number < sockets; number += 1) {
  all.push(connect(number));
  // The gateway takes 500 upgrades in a second.
  if (number % opensPerTick === 0) await new Promise((resolve) => setTimeout(resolve, 100));
}
const begun = Date.now();
const rss: number[] = [];
console.log(`${sockets} sockets, ${streams} streams of ${1000 / everyMs} events a second, ${minutes} minutes`);
console.log('minute  RSS MiB  sockets  turns  events  failures');
while (Date.now() - begun < minutes * 60_000 && failures.length < 100) {
  await new Promise((resolve) => setTimeout(resolve, Math.min(15_000, minutes * 10_000)));
  const mib = rssOf(gateway.pid ?? 0);
  rss.push(mib);
  console.log(
    [
      ((Date.now() - begun) / 60_000).toFixed(1).padStart(6),
      mib.toFixed(0).padStart(7),
      String(open).padStart(7),
      String(turns).padStart(5),
      String(events).padStart(6),
      String(failures.length).padStart(8),
    ].join('  '),
  );
}
isEnding = true;
for (const socket of all) socket.terminate();
gateway.kill('SIGKILL');
const quarter = Math.max(1, Math.floor(rss.length / 4));
const middle = (list: number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1] ?? NaN;
const [early, late] = [middle(rss.slice(quarter, 2 * quarter)), middle(rss.slice(-quarter))];
console.log(`RSS in the second quarter ${early.toFixed(0)} MiB, in the last ${late.toFixed(0)} MiB`);
for (const failure of failures.slice(0, 20)) console.log(failure);
process.exit(failures.length === 0 ? 0 : 1);

/** One client: it streams if its number is small enough, and is silent otherwise. */
function connect(number: number): WebSocket {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/responses`, {
    headers: { authorization: `Bearer sk-soak-${number % keys}` },
    perMessageDeflate: false,
  });
  const fail = (why: string): void => {
    if (!isEnding) failures.push(`socket ${number}: ${why}`);
  };
  let expected = 0;
  const create = (): void => {
    expected = 0;
    socket.send(JSON.stringify({ type: 'response.create', model: 'soak', input: `Socket ${number}.`, store: false }));
  };
  socket.on('open', () => {
    open += 1;
    if (number < streams) create();
  });
  socket.on('message', (raw: Buffer) => {
    events += 1;
    const { type, sequence_number: at } = JSON.parse(raw.toString()) as { type: string; sequence_number: number };
    if (at !== expected)
      fail(`event ${at} (${type}) came in the place of ${expected}: ${raw.toString().slice(0, 200)}`);
    expected += 1;
    if (type !== 'response.completed') return;
    turns += 1;
    create();
  });
  socket.on('close', (code, reason) => {
    open -= 1;
    fail(`closed with ${code} ${reason.toString()}`);
  });
  socket.on('error', (error) => fail(error.message));
  return socket;
}

/** Answers each create with events of its own, two a second. */
async function startUpstream(): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(404).end());
  let count = 0;
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (raw: Buffer) => {
      const { stream_id: lane } = JSON.parse(raw.toString()) as { stream_id?: string };
      const id = `resp_${(count += 1)}`;
      let at = 0;
      const timer = setInterval(() => {
        const isLast = at === eventsPerTurn - 1;
        const response = { id, status: isLast ? 'completed' : 'in_progress', output: [], store: false };
        const body =
          at === 0 || isLast
            ? { type: isLast ? 'response.completed' : 'response.created', response }
            : {
                type: 'response.output_text.delta',
                item_id: `msg_${id}`,
                output_index: 0,
                content_index: 0,
                delta: `word ${at} `,
              };
        if (socket.readyState === socket.OPEN)
          socket.send(JSON.stringify({ ...body, sequence_number: at, stream_id: lane }));
        at += 1;
        if (isLast || socket.readyState !== socket.OPEN) clearInterval(timer);
      }, everyMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

function rssOf(pid: number): number {
  return Number(spawnSync('ps', ['-o', 'rss=', '-p', String(pid)]).stdout.toString()) / 1024;
}
