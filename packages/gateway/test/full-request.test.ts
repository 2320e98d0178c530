import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HistoryCache } from '../dist/relay/history/history-cache.js';
import { cacheContext } from '../dist/relay/history/full-request.js';
import type { Json, RelayTurn } from '@turnwire/client/relay';

const message = (content: string): Json => ({ type: 'message', role: 'user', content });

test('gateway history cache: the items after a compaction are kept once, however many turns continue it', () => {
  const histories = new HistoryCache({ maxBytes: 1_000_000, principalBytes: 1_000_000 });
  const context: Json[] = [
    message('before it'),
    { type: 'compaction', encrypted_content: 'c'.repeat(50_000) },
    message('after it'),
  ];
  const take = (id: string, continued: { responseId: string; from: number } | undefined): void => {
    const turn = { responseId: id, stored: true, context: [...context], continued } as unknown as RelayTurn;
    const create = { params: { model: 'm', input: [...context] }, raw: undefined, bytes: 60_000, keep: () => {} };
    cacheContext(histories, 'someone', turn, { create, sent: create });
  };
  take('resp_1', undefined);
  const first = histories.bytes;
  for (let turn = 2; turn <= 10; turn += 1) {
    const from = context.length;
    context.push(message(`turn ${turn}`));
    take(`resp_${turn}`, { responseId: `resp_${turn - 1}`, from });
  }
  assert.deepEqual(histories.find('someone', 'resp_10')?.items(), context.slice(1));
  assert(histories.bytes < 2 * first, `${histories.bytes} bytes after ten turns, ${first} after the first`);
});
