import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { errorCodes } from '@turnwire/client';
import { startEmulator } from 'turnwire/emulator';
import { anchorsOf, blocksOf, pages, root, textOf } from './pages.js';

const turnwire = join(root, 'packages', 'turnwire', 'bin', 'turnwire.js');

describe('pages', () => {
  test('the required pages exist', () => {
    for (const page of [
      'README.md',
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'docs/README.md',
      'docs/architecture.md',
      'docs/configuration.md',
      'docs/errors.md',
      'docs/faults.md',
      'docs/glossary.md',
      'docs/protocol.md',
      'docs/reliability.md',
      'docs/secrets.md',
    ])
      assert(existsSync(join(root, page)), page);
    assert.match(textOf('LICENSE'), /Apache License\s+Version 2\.0/);
  });

  test('the README has the two commands, three snippets, and at most 160 lines', () => {
    const blocks = blocksOf('README.md');
    assert(blocks.some(({ text }) => /^npm run demo\b.*\nnpm test\b/.test(text)));
    assert(blocks.filter(({ language }) => language === 'ts').length >= 3);
    assert(textOf('README.md').split('\n').length <= 160);
  });

  test('every link inside the repository leads to a file and a heading', () => {
    const broken: string[] = [];
    for (const page of pages) {
      const prose = textOf(page).replace(/^```[\s\S]*?^```/gm, '');
      for (const [, inline, target = inline ?? ''] of prose.matchAll(/\]\(([^)\s]+)\)|^\[[\w-]+\]: (\S+)$/gm)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [file = '', anchor] = target.split('#');
        const path = file === '' ? page : join(dirname(page), file);
        if (!existsSync(join(root, path))) broken.push(`${page}: ${target}`);
        else if (anchor !== undefined && path.endsWith('.md') && !anchorsOf(path).has(anchor))
          broken.push(`${page}: ${target}`);
      }
    }
    assert.deepEqual(broken, []);
  });

  test('every TypeScript block compiles, strictly, against the packages', (t) => {
    // Inside the repository, because that is where the packages can be resolved from.
    mkdirSync(join(root, 'dist-test'), { recursive: true });
    const folder = mkdtempSync(join(root, 'dist-test', 'snippets-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const files: string[] = [];
    for (const page of pages) {
      for (const { language, text, line } of blocksOf(page)) {
        if (language !== 'ts') continue;
        const file = `${page.replaceAll(/[/.]/g, '-')}-${line}.mts`;
        writeFileSync(join(folder, file), `${text}\nexport {};\n`);
        files.push(file);
      }
    }
    assert(files.length >= 3);
    const compilerOptions = { noEmit: true, composite: false, rootDir: folder };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: '../../tsconfig.base.json', compilerOptions, files }),
    );
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  });

  test('every command in the pages exists, with its options', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const wrong: string[] = [];
    for (const page of pages) {
      for (const { language, text, line } of blocksOf(page)) {
        if (language !== 'sh') continue;
        for (const [index, written] of text.split('\n').entries()) {
          const command = written
            .replace(/#.*$/, '')
            .replace(/"[^"]*"|'[^']*'/g, 'TEXT')
            .trim();
          const place = `${page}:${line + index}: ${command}`;
          const script = /\bnpm (?:run )?(?:--silent )?([\w:-]+)/.exec(command)?.[1];
          if (script !== undefined && !['ci', 'install', 'exec', ...Object.keys(scripts)].includes(script))
            wrong.push(place);
          const rest =
            /\bturnwire (.*)$/.exec(command)?.[1] ?? /^npm run (?:--silent )?(demo -- .*)$/.exec(command)?.[1];
          const words = rest?.split(/\s+/) ?? [];
          const verb = words.find((word) => /^[a-z]+$/.test(word));
          if (rest === undefined || verb === undefined) continue;
          const help = helpOf(verb);
          const flags = words
            .filter((word) => word !== '--' && word.startsWith('--'))
            .map((word) => word.split('=')[0] ?? '');
          if (help === undefined || flags.some((flag) => !new RegExp(`${flag}\\b`).test(help))) wrong.push(place);
        }
      }
    }
    assert.deepEqual(wrong, []);
  });

  test('every YAML block is an agent file, a part of one, a script, or a configuration of the gateway', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'turnwire pages '));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'block.yaml');
    let blocks = 0;
    for (const page of pages) {
      for (const { language, text, line } of blocksOf(page)) {
        if (language !== 'yaml') continue;
        blocks += 1;
        const place = `${page}:${line}`;
        if (/^(?:turns|rules|faults):/m.test(text)) {
          writeFileSync(file, text);
          await assert.doesNotReject(async () => (await startEmulator({ script: file })).close(), place);
          continue;
        }
        if (page === 'docs/gateway.md' || page === 'docs/cluster.md') {
          writeFileSync(file, text);
          const secrets = { OPENAI_API_KEY: 'sk-of-a-test', DEPLOYMENT_SECRET: 'x'.repeat(32), REDIS_PASSWORD: 'x' };
          const env = { ...process.env, ...secrets };
          const args = [turnwire, 'serve', '--check', '--config', file];
          const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
          assert.equal(status, 0, `${place}: ${stderr}`);
          continue;
        }
        const whole = /^agents:/m.test(text)
          ? text
          : `agents:\n  root:\n    model: emulator/any\n${text.replaceAll(/^/gm, '    ')}`;
        writeFileSync(file, whole);
        const { status, stderr } = spawnSync(process.execPath, [turnwire, 'config', file], { encoding: 'utf8' });
        assert.equal(status, 0, `${place}: ${stderr}`);
      }
    }
    assert(blocks >= 8);
  });

  const helps = new Map<string, string | undefined>();
  function helpOf(verb: string): string | undefined {
    if (!helps.has(verb)) {
      const { status, stdout } = spawnSync(process.execPath, [turnwire, verb, '--help'], { encoding: 'utf8' });
      helps.set(verb, status === 0 && stdout.startsWith(`Usage: turnwire ${verb}`) ? stdout : undefined);
    }
    return helps.get(verb);
  }

  test('docs/errors.md has every code of the client, and no other', () => {
    const tables = [...textOf('docs/errors.md').matchAll(/^\| code \|.*\n((?:\|.*\n)+)/gm)].map(([, rows]) => rows);
    const rows = [...tables.join('').matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => String(code));
    assert.deepEqual(rows.sort(), [...errorCodes].sort());
  });

  test('docs/errors.md has every exit status', () => {
    for (const status of [0, 1, 2, 130, 141, 143])
      assert.match(textOf('docs/errors.md'), new RegExp(`\\b${status}\\b`));
  });
});
