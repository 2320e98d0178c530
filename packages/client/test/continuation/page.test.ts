// docs/continuation.md against the code: the reasons, and the fields that may change.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { changedField, shapingFields } from '../../dist/continuation/fields.js';
import { fullReasons } from '../../dist/continuation/full-reason.js';

// From packages/client/dist-test/chain.
const page = readFileSync(new URL('../../../../docs/continuation.md', import.meta.url), 'utf8');

describe('docs/continuation.md', () => {
  test('the page has every reason for a full plan, and no other', () => {
    const [, rows = ''] = /^\| reason \|.*\n((?:\|.*\n)+)/m.exec(page) ?? [];
    const reasons = [...rows.matchAll(/^\| `([\w:]+)(?: [A-Z]+)?` \|/gm)].map(([, reason]) => reason);
    assert.deepEqual(reasons, [...fullReasons]);
  });

  test('the fields that the page lets change may change, and those it names as shaping may not', () => {
    const [free = '', shaping = ''] = ['These may change', 'Every other one shapes'].map(
      (start) => page.split('\n\n').find((paragraph) => paragraph.startsWith(start)) ?? '',
    );
    const names = (paragraph: string): string[] => [...paragraph.matchAll(/`(\w+)`/g)].map(([, name]) => String(name));
    assert(names(free).length >= 20 && names(shaping).length >= 8);
    for (const name of names(free)) assert.deepEqual(shapingFields({ [name]: 'x' }), {}, name);
    for (const name of names(shaping)) assert.equal(changedField({}, shapingFields({ [name]: 'x' })), name);
  });
});
