import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sharesOf } from '../dist/report/profile.js';

const frame = (functionName: string, url = '') => ({
  functionName,
  url,
  scriptId: '0',
  lineNumber: 0,
  columnNumber: 0,
});

describe('bench: profile', () => {
  test('a profile: calls into Node count as the package’s, idle time as nobody’s, garbage as a part of its own', () => {
    const nodes = [
      { id: 1, callFrame: frame('(root)'), children: [2, 3, 4, 5] },
      { id: 2, callFrame: frame('(idle)') },
      { id: 3, callFrame: frame('(garbage collector)') },
      { id: 4, callFrame: frame('onStreamRead', 'node:internal/stream_base_commons'), children: [6] },
      { id: 5, callFrame: frame('next', 'file:///there/node_modules/@openai/agents/run.mjs'), children: [8, 9] },
      { id: 6, callFrame: frame('message', 'file:///here/packages/client/dist/pool/connection.js'), children: [7] },
      { id: 7, callFrame: frame('utf8Slice') },
      { id: 8, callFrame: frame('parse') },
      { id: 9, callFrame: frame('events', 'file:///here/bench/dist/exercise.js') },
    ];
    const samples = [2, 3, 4, 7, 8, 9];
    const timeDeltas = [500, 10, 20, 30, 25, 15];
    const profile = { nodes, samples, timeDeltas, startTime: 0, endTime: 600 };
    assert.deepEqual(sharesOf(profile), {
      garbage: 0.1,
      Node: 0.2,
      turnwire: 0.3,
      '@openai/agents': 0.25,
      'the bench': 0.15,
    });
  });
});
