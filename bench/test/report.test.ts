import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chart } from '../dist/report/chart.js';
import { clientOf } from '../dist/client/clients.js';
import { judge } from '../dist/report/goals.js';
import { replaceSection } from '../dist/report/page.js';
import { tables } from '../dist/report/table.js';
import { workloads } from '../dist/workloads.js';
import type { Result } from '../dist/suite.js';
import type { Workload } from '../dist/workloads.js';

const workload: Workload = {
  id: 'one',
  title: 'one & only',
  exercise: { kind: 'import' },
  rows: ['ws', 'turnwire-ws', 'openai-fetch'],
  metrics: [{ name: 'ms', title: 'time, ms', digits: 1, against: 'ws' }],
  goals: [
    { row: 'turnwire-ws', metric: 'ms', against: 'ws', atMost: 1.5 },
    { row: 'turnwire-ws', metric: 'ms', against: 'ws', atLeast: 1.6 },
    { row: 'turnwire-ws', metric: 'ms', against: 'ws', beyond: 5 },
    { row: 'turnwire-ws', metric: 'ms', most: 14 },
    { row: 'openai-fetch', metric: 'ms', against: 'ws', atMost: 1 },
    { row: 'turnwire-ws', metric: 'ms', against: 'openai-fetch', atMost: 1 },
  ],
  limitMs: 1,
};
const result: Result = {
  workload: 'one',
  rows: [
    { client: 'ws', metrics: { ms: [10, 100, 10] } },
    { client: 'turnwire-ws', metrics: { ms: [15, 150, 12] } },
    { client: 'openai-fetch', metrics: {}, missing: { why: 'not yet', message: 'it is not there' } },
  ],
};

describe('bench: report', () => {
  test('goals are judged by ratios and differences of the same round', () => {
    assert.deepEqual(
      judge([workload], [result]).map(({ outcome, value }) => [outcome, value]),
      [
        ['met', 1.5],
        ['missed', 1.5],
        ['met', 5],
        ['missed', 15],
        ['not yet', undefined],
        ['unknown', undefined],
      ],
    );
  });

  test('a table has medians, ranges, ratios, and says what is missing', () => {
    const text = tables([workload], [result]).replace(/ +/g, ' ');
    assert(text.includes('| ws + JSON.parse | 10.0 (10.0–100.0) | 1.00 |'));
    assert(text.includes('| turnwire over WebSocket | 15.0 (12.0–150.0) | 1.50 (1.20–1.50) |'));
    assert(text.includes("Not measured: openai on turnwire's fetch: not yet (it is not there)."));
  });

  test('a chart is well-formed, and the longest bar is the largest median', () => {
    const svg = chart(workload, result) ?? '';
    assert(svg.includes('one &amp; only'));
    const widths = [...svg.matchAll(/<rect x="\d+" y="\d+" width="([\d.]+)"/g)].map(([, width]) => Number(width));
    assert.equal(widths.length, 2);
    assert.equal(Math.round(((widths[0] ?? 0) / (widths[1] ?? 0)) * 100), Math.round((10 / 15) * 100));
    assert.equal(chart(workload, { workload: 'one', rows: [] }), undefined);
  });

  test('a section of a page is replaced, and nothing else', () => {
    const page = 'a\n<!-- bench:x -->\nold\n<!-- /bench:x -->\nb';
    assert.equal(replaceSection(page, 'x', 'new\n'), 'a\n<!-- bench:x -->\nnew\n<!-- /bench:x -->\nb');
    assert.throws(() => replaceSection(page, 'y', ''), /no section/);
  });

  test('every row is a client, and every goal is about a row and a metric that its workload has', () => {
    for (const { id, rows, metrics, goals } of workloads) {
      for (const row of rows) assert.equal(clientOf(row).id, row);
      for (const goal of goals) {
        assert(rows.includes(goal.row), `${id}: ${goal.row}`);
        if ('against' in goal) assert(rows.includes(goal.against), `${id}: ${goal.against}`);
        assert(
          metrics.some(({ name }) => name === goal.metric),
          `${id}: ${goal.metric}`,
        );
      }
    }
    assert.equal(new Set(workloads.map(({ id }) => id)).size, workloads.length);
  });
});
