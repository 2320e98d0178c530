// docs/bounds.md against the one file that declares the bounds of the client.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as bounds from '../dist/base/bounds.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const page = readFileSync(join(root, 'docs', 'bounds.md'), 'utf8');
const sources = join(root, 'packages', 'client', 'src');

/** As the page writes them: the bounds of an option under its name. */
const options: Readonly<Record<string, string>> = {
  defaultTimeouts: 'timeouts',
  defaultPool: 'pool',
  defaultRecovery: 'recovery',
};

function declared(): Map<string, string> {
  const all = new Map<string, string>();
  for (const [name, value] of Object.entries<number | object>(bounds)) {
    if (typeof value === 'object')
      for (const [key, one] of Object.entries(value as Record<string, number>))
        all.set(`${options[name] ?? name}.${key}`, valueOf(key, one));
    else if (name === 'defaultChainBytes') all.set('chains.maxBytes', valueOf('Bytes', value));
    else all.set(name, valueOf(name, value));
  }
  return all;
}

function valueOf(name: string, value: number): string {
  if (value === Infinity) return 'none';
  if (name.endsWith('Ms'))
    return value < 1000 ? `${value} ms` : value < 60_000 ? `${value / 1000} s` : `${value / 60_000} min`;
  if (!name.endsWith('Bytes')) return String(value);
  return value < 1024 ? `${value} B` : value < 1024 ** 2 ? `${value / 1024} KiB` : `${value / 1024 ** 2} MiB`;
}

describe('bounds', () => {
  test('docs/bounds.md lists each of them with its value, and no other', () => {
    const listed = new Map(
      [...page.matchAll(/^\| `([\w.]+)` \| ([^|]+) \| [^|]+ \|$/gm)].map(([, name = '', value = '']) => [name, value]),
    );
    assert.deepEqual(Object.fromEntries(listed), Object.fromEntries(declared()));
  });

  test('no other file of the client declares a limit', () => {
    // The size of a control frame is the protocol's, and the other a threshold for what is said.
    const others = /const (?:maxControlBytes|notableMs) /;
    const found: string[] = [];
    for (const file of readdirSync(sources, { recursive: true }).map(String)) {
      if (!file.endsWith('.ts') || /^(?:base.bounds|protocol.limits)\.ts$/.test(file)) continue;
      const text = readFileSync(join(sources, file), 'utf8');
      for (const [line] of text.matchAll(
        /^(?:export )?const (?:max|most|least)[A-Z]\w*(?:: number)? = [\d_. *]+;|^(?:export )?const \w+Ms = [\d_. *]+;/gm,
      ))
        if (!others.test(line)) found.push(`${file}: ${line}`);
    }
    assert.deepEqual(found, []);
  });
});
