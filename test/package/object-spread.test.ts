import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { withEmptySpreads } = (await import(new URL('../../scripts/object-spread.mjs', import.meta.url).href)) as {
  withEmptySpreads: (code: string) => string;
};

/** The code of a bundle that runs: its modules, without declarations. */
function bundled(): { name: string; code: string }[] {
  return ['client', 'emulator', 'gateway'].flatMap((library) => {
    const folder = join(root, 'packages', library, 'bundle');
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.c?js$/.test(name))
      .map((name) => ({ name: `${library}/${name}`, code: readFileSync(join(folder, name), 'utf8') }));
  });
}

describe('object literals of the bundles', () => {
  test('none of several parts begins with the spread of an object', () => {
    const modules = bundled();
    assert.ok(modules.length > 10, `only ${modules.length} modules`);
    for (const { name, code } of modules) assert.ok(withEmptySpreads(code) === code, name);
    assert.ok(modules.some(({ code }) => /\{\s*\.\.\.void 0, \.\.\./.test(code)));
  });

  test('a literal that begins with a spread gets an empty one before it; what it means stays', () => {
    const code = `({ ...a, b: 2, c: { ...{ ...a, d: 4 }, a: ['{ ...a, b }'] } })`;
    const rewritten = withEmptySpreads(code);
    assert.equal(
      rewritten,
      `({ ...void 0, ...a, b: 2, c: { ...void 0, ...{ ...void 0, ...a, d: 4 }, a: ['{ ...a, b }'] } })`,
    );
    const run = (program: string): string =>
      vm.runInNewContext(`JSON.stringify(${program}) + Object.keys(${program})`, { a: { a: 1, b: 1 } }) as string;
    assert.equal(run(rewritten), run(code));
  });

  test('a key named __proto__ of a spread object stays a key', () => {
    const program = withEmptySpreads(`({ ...JSON.parse('{"__proto__":{"x":1}}'), y: 2 })`);
    const made = vm.runInNewContext(program) as { x?: number };
    assert.equal(made.x, undefined);
    assert.deepEqual(Object.keys(made), ['__proto__', 'y']);
  });

  test('a program that was rewritten stays as it is', () => {
    const rewritten = withEmptySpreads('({ ...a, b: { ...c, d: 1 } })');
    assert.equal(withEmptySpreads(rewritten), rewritten);
  });

  for (const [what, code] of [
    ['a copy', '({ ...a })'],
    ['a spread behind a field', '({ b: 1, ...a, c: 2 })'],
    ['a pattern', 'const { ...rest } = a; (({ b, ...others }) => others)(a);'],
    ['an array', '[...a, 1]'],
    ['a call', 'f(...a, 1)'],
    ['a text', '`{ ...a, b }`'],
  ] as const)
    test(`${what} stays as it is`, () => assert.equal(withEmptySpreads(code), code));
});
