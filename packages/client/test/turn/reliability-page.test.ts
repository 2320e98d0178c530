// docs/reliability.md against the code: its tables are those that decide.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as bounds from '../../dist/base/bounds.js';
import { limitsOf } from '../../dist/protocol/limits.js';
import { closeCodeTable } from '../../dist/protocol/errors/close-codes.js';
import { errorCodes } from '../../dist/protocol/errors/error-codes.js';
import { failureTable } from '../../dist/protocol/errors/failure-table.js';
import { resolveOptions } from '../../dist/settings/settings.js';
import { breakerTable } from '../../dist/turn/recovery/breaker.js';
import { causeOf } from '../../dist/turn/recovery/cause.js';
import { recoveryTable } from '../../dist/turn/recovery/recovery.js';
import { TurnRequest } from '../../dist/turn/request.js';
import { breakerFailureOf } from '../../dist/turn/recovery/breaker-failure.js';
import { apiError, closed, dialFailed, upgrade } from './recovery/failures.js';
import type { Phase } from '../../dist/protocol/phase.js';
import type { FailureCause } from '../../dist/protocol/errors/failure-table.js';
import type { RecoveryAction } from '../../dist/turn/recovery/recovery.js';
import type { Attempt } from '../../dist/turn/report.js';

// From packages/client/dist-test/turn.
const page = readFileSync(new URL('../../../../docs/reliability.md', import.meta.url), 'utf8');

/** The body of the one table whose head begins with this cell. */
function rows(head: string, nth = 0): string[][] {
  const tables = [...page.matchAll(new RegExp(String.raw`^\| ${head} \|.*\n\|[ |-]*\n((?:\|.*\n)+)`, 'gm'))];
  const body = tables[nth]?.[1]?.trimEnd() ?? '';
  assert.notEqual(body, '', `the page has no table ${head}`);
  return body.split('\n').map((line) => line.slice(2, -2).split(' | '));
}

const names = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
const firstNames = (head: string): string[] => rows(head).flatMap(([cell]) => names(cell));

/** "500–599 except 501", "404, 405" */
function numbers(cell: string): number[] {
  const [some = '', none = ''] = cell.split(' except ');
  const listed = [...some.matchAll(/(\d+)(?:–(\d+))?/g)].flatMap(([, from, to = from]) =>
    Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => Number(from) + index),
  );
  return listed.filter((number) => !none.split(', ').includes(String(number)));
}

function span(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  return ms > 60_000 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}

function size(bytes: number): string {
  return bytes < 1024 * 1024 ? `${bytes / 1024} KiB` : `${bytes / 1024 / 1024} MiB`;
}

// What the compiler compares with the types.
const causes = Object.keys({
  unreachable: true,
  no_answer: true,
  unsupported: true,
  refused_upgrade: true,
  forbidden: true,
  throttled: true,
  unavailable: true,
  unauthorized: true,
  broken: true,
  pong_lost: true,
  turned_away: true,
  dismissed: true,
  closed: true,
  unanswered: true,
  age_limit: true,
  lanes_refused: true,
  stream_refused: true,
  chain_lost: true,
  chain_ignored: true,
  busy: true,
  given_up: true,
  too_large: true,
  final: true,
} satisfies Record<FailureCause, true>) as FailureCause[];
const moves = {
  redial: true,
  resend_in_full: true,
  retry: true,
  fall_back: true,
  wait_for_lane: true,
  surface: true,
} satisfies Record<RecoveryAction, true>;
const phases = {
  queued: true,
  sending: true,
  sent: true,
  created: true,
  visible: true,
  tool: true,
  terminal: true,
} satisfies Record<Phase, true>;
const attempt = {
  transport: true,
  connection: true,
  lane: true,
  reused: true,
  plan: true,
  planReason: true,
  sentBytes: true,
  phase: true,
  error: true,
  kind: true,
  recovery: true,
  delayMs: true,
} satisfies Record<keyof Attempt, true>;

describe('docs/reliability.md', () => {
  test('the table of recovery, row by row', () => {
    assert.deepEqual(
      rows('after').map(([after, phase, connection, ran, then]) => ({
        causes: names(after),
        phases: names(phase),
        connection,
        ran,
        moves: names(then),
      })),
      recoveryTable,
    );
  });

  test('every cause, move, phase and field of an attempt, and no other', () => {
    assert.deepEqual(firstNames('cause'), causes);
    assert.deepEqual(firstNames('move'), Object.keys(moves));
    assert.deepEqual(firstNames('phase'), Object.keys(phases));
    assert.deepEqual(firstNames('field'), Object.keys(attempt));
    const inRows = new Set(recoveryTable.flatMap((row) => row.causes));
    const [, surfacing] = /^(.*) stand in no row/m.exec(page) ?? [];
    assert.deepEqual(
      names(surfacing),
      causes.filter((cause) => !inRows.has(cause)),
    );
  });

  test('a phase is sent again where a row has it, and nowhere else', () => {
    const again = rows('phase')
      .filter((cells) => cells.at(-1) !== 'no')
      .flatMap(([cell]) => names(cell));
    assert.deepEqual(again, [...new Set(recoveryTable.flatMap((row) => row.phases))]);
  });

  test('close codes', () => {
    const table = rows('close code');
    const listed = new Set(table.flatMap(([codes = '']) => numbers(codes)));
    for (const code of Object.keys(closeCodeTable)) assert.ok(listed.has(Number(code)), code);
    for (const [codes = '', cause] of table)
      for (const code of numbers(codes)) {
        // Some of the provider's own have a row of theirs.
        if (code === 4402 && codes.includes('–')) continue;
        assert.equal(causeOf(closed(code)), names(cause)[0], String(code));
      }
  });

  test('statuses of the upgrade, each from 200 to 599', () => {
    const table = rows('status of the upgrade');
    for (let status = 200; status < 600; status += 1) {
      const [, cell] = table.find(([statuses = '']) => numbers(statuses).includes(status)) ?? table.at(-1) ?? [];
      const [plain, json = plain] = names(cell);
      assert.equal(causeOf(upgrade(status, '<h1>No</h1>')), plain, `${status}, a page`);
      assert.equal(causeOf(upgrade(status, apiError)), json, `${status}, JSON`);
    }
  });

  test('docs/reliability.md says which cause each kind of refusal is taken for', () => {
    const told = new Map(
      rows('kind of refusal').flatMap(([kinds, turn, ofUpgrade]) =>
        names(kinds).map((kind) => [kind, [names(turn)[0], names(ofUpgrade)[0]]]),
      ),
    );
    for (const [kind, { refusal, upgrade: taken, status }] of Object.entries(failureTable))
      assert.deepEqual(told.get(kind), status === undefined ? undefined : [refusal, taken], kind);
  });

  test('the table of the breaker, and what each cause tells it', () => {
    const table = rows('kind');
    assert.deepEqual(
      table.map(([kind, after, rest, longest]) => [names(kind)[0], after, rest, longest]),
      breakerTable.map(({ kind, after, restMs, maxRestMs }) => [
        kind,
        String(after),
        `${restMs / 60_000} min`,
        `${maxRestMs / 60_000} min`,
      ]),
    );
    const told = new Map(table.flatMap(([kind, , , , of]) => names(of).map((cause) => [cause, names(kind)[0]])));
    for (const cause of causes) {
      const trip = breakerFailureOf(cause, { error: dialFailed, transport: 'websocket', phase: 'sending' });
      assert.equal(trip?.kind, told.get(cause), cause);
    }
    assert.equal(
      breakerFailureOf('too_large', { error: closed(1009), transport: 'websocket', phase: 'sent' }),
      undefined,
    );
    assert.equal(
      breakerFailureOf('dismissed', { error: closed(1000), transport: 'websocket', phase: 'sent' })?.kind,
      'shape',
    );
    assert.ok(page.includes(`without a verdict for ${bounds.probeMs / 60_000} minutes`));
    assert.ok(
      page.includes(`go by SSE for ${bounds.shapeMs / 60_000} min; the last ${bounds.maxShapes} shapes are remembered`),
    );
  });

  const settings = resolveOptions({ apiKey: 'any' }, {});

  test('waits that have an option, each of them', () => {
    const table = rows('wait');
    const times = { ...settings.timeouts, budgetMs: settings.recovery.budgetMs };
    const options = Object.entries(times).map(([name, ms]) =>
      name === 'budgetMs' ? `\`recovery.${name}\` ${ms / 1000} s` : `\`timeouts.${name}\` ${span(ms)}`,
    );
    assert.deepEqual(table.map(([, option, value]) => `${option} ${value}`).sort(), options.sort());
    for (const name of table.flatMap((cells) => names(cells.at(-1))))
      assert.ok((errorCodes as readonly string[]).includes(name), name);
  });

  test('waits that have none, and buffers', () => {
    const {
      maxEventSilenceMs,
      closingUnreadMs,
      successorMs,
      failedAfterErrorMs,
      expectContinueMs,
      maxErrorBodyMs,
      validationMs,
      laneDrainMs,
      unreadHighWaterBytes,
      laneUnreadBytes,
      maxPausedReadBytes,
      maxEventBytes,
      maxOutputBytes,
      maxErrorBodyBytes,
      maxHeadBytes,
      laneDrainBytes,
    } = bounds;
    const starts = (table: string[][], expected: string[]): void =>
      assert.deepEqual(
        table.map(([, most = '']) => /^[\d.]+ \w+/.exec(most)?.[0]),
        expected,
      );
    starts(
      rows('wait', 1),
      [
        maxEventSilenceMs,
        closingUnreadMs,
        successorMs,
        failedAfterErrorMs,
        expectContinueMs,
        maxErrorBodyMs,
        validationMs,
        laneDrainMs,
      ].map(span),
    );
    starts(
      rows('buffer'),
      [
        unreadHighWaterBytes,
        laneUnreadBytes,
        maxPausedReadBytes,
        maxEventBytes,
        maxOutputBytes,
        limitsOf('api.openai.com').maxFrameBytes,
        maxErrorBodyBytes,
        maxHeadBytes,
        settings.chains.maxBytes,
        settings.chains.maxBytes * bounds.bodyShare,
        laneDrainBytes,
      ].map(size),
    );
  });

  test('the defaults of recovery, and the tools that make no turn unrepeatable', () => {
    const { maxAttempts, budgetMs, replay } = settings.recovery;
    assert.ok(page.includes(`\`recovery.maxAttempts\` (${maxAttempts})`));
    assert.ok(page.includes(`\`recovery.budgetMs\` (${budgetMs / 1000} s)`));
    assert.ok(page.includes(`\`${replay}\`, the default`));
    const [, tools] = /and no tools but ([\s\S]*?)\.\s/.exec(page) ?? [];
    assert.ok(names(tools).length > 4);
    const isRepeatable = (type: string): boolean => new TurnRequest({ input: 'x', tools: [{ type }] }).repeatable;
    assert.deepEqual(names(tools).map(isRepeatable), Array(names(tools).length).fill(true));
    for (const type of ['mcp', 'shell', 'code_interpreter', 'image_generation', 'computer'])
      assert.equal(isRepeatable(type), false, type);
  });
});
