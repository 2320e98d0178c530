// Every cell of the table of recovery, written down here once more and in another way: by what is certain at each point.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TurnwireError, errorCodes } from '../../dist/protocol/errors.js';
import { recover } from '../../dist/turn/recovery.js';
import type { Phase } from '../../dist/protocol/errors.js';
import type { TransportChoice } from '../../dist/options.js';

const phases: readonly Phase[] = ['queued', 'sending', 'sent', 'created', 'visible', 'tool', 'terminal'];
const server = (code: string) => ({
  status: 400,
  code,
  type: undefined,
  message: '',
  param: undefined,
  headers: {},
  raw: {},
});
const cut = new Error('ECONNRESET');

/** One failure of each kind; `group` is what the expectation below is told of it, and nothing else. */
const failures: readonly { name: string; group: string; error: TurnwireError }[] = [
  { name: 'dial_failed', group: 'no way', error: new TurnwireError('dial_failed', '') },
  { name: 'dial_timeout', group: 'no way', error: new TurnwireError('dial_timeout', '') },
  ...[200, 400, 403, 404, 405, 407, 408, 425, 426, 429, 500, 501, 503].map((status) => ({
    name: `upgrade ${status}`,
    group: 'no way',
    error: new TurnwireError('upgrade_refused', '', { status }),
  })),
  ...[301, 302, 307, 308, 401, 402].map((status) => ({
    name: `upgrade ${status}`,
    group: 'final',
    error: new TurnwireError('upgrade_refused', '', { status }),
  })),
  ...[1001, 1005, 1006, 1011, 1012, 1013, 1015].map((closeCode) => ({
    name: `close ${closeCode}`,
    group: 'transient',
    error: new TurnwireError('connection_lost', '', { closeCode }),
  })),
  { name: 'RST over SSE', group: 'transient', error: new TurnwireError('connection_lost', '', { cause: cut }) },
  ...[1008, 1009].map((closeCode) => ({
    name: `close ${closeCode}`,
    group: 'refused by close',
    error: new TurnwireError('connection_lost', '', { closeCode }),
  })),
  { name: 'close 1000', group: 'good order', error: new TurnwireError('connection_lost', '', { closeCode: 1000 }) },
  ...[1002, 1003, 1007, 1010, 3000, 4000, 4402].map((closeCode) => ({
    name: `close ${closeCode}`,
    group: 'other close',
    error: new TurnwireError('connection_lost', '', { closeCode }),
  })),
  { name: 'the end of an SSE body', group: 'other close', error: new TurnwireError('connection_lost', '') },
  {
    name: 'the age limit',
    group: 'age limit',
    error: new TurnwireError('request_refused', '', { server: server('websocket_connection_limit_reached') }),
  },
  { name: 'a refusal', group: 'final', error: new TurnwireError('request_refused', '', { server: server('other') }) },
  ...errorCodes
    .filter(
      (code) =>
        !['dial_failed', 'dial_timeout', 'upgrade_refused', 'connection_lost', 'request_refused'].includes(code),
    )
    .map((code) => ({ name: code, group: 'final', error: new TurnwireError(code, '') })),
];

interface Cell {
  group: string;
  phase: Phase;
  webSocket: boolean;
  reused: boolean;
  choice: TransportChoice;
  redialled: boolean;
  repeatable: boolean;
  sseAble: boolean;
}

function expected(cell: Cell): string {
  const unsent = cell.phase === 'queued' || cell.phase === 'sending';
  const begun = !unsent && cell.phase !== 'sent';
  // Nothing is replayed once the server is known to have begun.
  if (begun) return 'surface';
  const redial = cell.redialled ? 'surface' : 'redial';
  const fallBack = cell.webSocket && cell.choice === 'auto' && cell.sseAble ? 'fall_back' : 'surface';
  switch (cell.group) {
    case 'no way':
      return cell.phase === 'queued' ? fallBack : 'surface';
    case 'transient':
      if (unsent) return cell.reused ? redial : fallBack;
      return cell.reused && cell.repeatable ? redial : 'surface';
    case 'refused by close':
      return fallBack;
    case 'good order':
      if (unsent) return cell.reused ? redial : fallBack;
      return cell.repeatable ? fallBack : 'surface';
    case 'other close':
      if (unsent) return cell.reused ? redial : fallBack;
      return 'surface';
    case 'age limit':
      return cell.phase === 'sent' ? redial : 'surface';
    default:
      return 'surface';
  }
}

const booleans = [true, false];
for (const { name, group, error } of failures) {
  test(`${name}: every phase, connection and policy`, () => {
    let cells = 0;
    for (const phase of phases)
      for (const webSocket of booleans)
        for (const reused of booleans)
          for (const choice of ['auto', 'websocket', 'sse'] as const)
            for (const redialled of booleans)
              for (const repeatable of booleans)
                for (const sseAble of booleans) {
                  // Close codes are a WebSocket's.
                  if (!webSocket && error.closeCode !== undefined) continue;
                  const cell = { group, phase, webSocket, reused, choice, redialled, repeatable, sseAble };
                  const move = recover(
                    { error, transport: webSocket ? 'websocket' : 'sse', phase, reused },
                    { choice, redialled, repeatable, sseAble },
                  );
                  assert.equal(move, expected(cell), JSON.stringify(cell));
                  cells += 1;
                }
    assert.ok(cells >= 336);
  });
}
