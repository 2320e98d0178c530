// CONTRIBUTING.md, "How to add an error code", followed to the letter.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TurnwireError } from '../../dist/protocol/errors/errors.js';
import { failureTable, serverCodes } from '../../dist/protocol/errors/failure-table.js';
import { parseServerError } from '../../dist/protocol/errors/server-error.js';
import { causeOf } from '../../dist/turn/recovery/cause.js';
import type { FailureKind } from '../../dist/protocol/errors/failure-kind.js';

// From packages/client/dist-test/protocol.
const root = fileURLToPath(new URL('../../../../', import.meta.url));
const page = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
const [, section = ''] = /^## How to add an error code\n([^]*?)^## /m.exec(page) ?? [];

describe('how to add an error code', () => {
  test('names what is there', () => {
    const named = [...section.matchAll(/`(\w+)` in\s+\[`[^`]+`\]\(([^)]+)\)/g)];
    assert.ok(named.length >= 5);
    for (const [, name = '', file = ''] of named)
      assert.match(
        readFileSync(join(root, file), 'utf8'),
        new RegExp(String.raw`^export (const|function) ${name}\b`, 'm'),
      );
    for (const [, file = ''] of section.matchAll(/\]\(([^)]+)\)/g)) assert.ok(existsSync(join(root, file)), file);
  });

  test('a code of a server: everything else follows from the one entry', () => {
    const refused = (): TurnwireError => {
      const server = parseServerError({ type: 'error', error: { code: 'gone_fishing', message: '' } });
      return new TurnwireError('request_refused', '', { phase: 'sent', server });
    };
    const codes = serverCodes as Map<string, FailureKind>;
    try {
      for (const [kind, retryable, cause, status] of [
        ['overload', true, 'busy', 503],
        ['quota', false, 'final', 429],
        ['server', false, 'given_up', 500],
        ['auth', false, 'unauthorized', 401],
      ] as const) {
        codes.set('gone_fishing', kind);
        const error = refused();
        assert.deepEqual(
          [error.kind, error.retryable, causeOf(error), failureTable[error.kind].status],
          [kind, retryable, cause, status],
        );
      }
    } finally {
      codes.delete('gone_fishing');
    }
  });

  test('a code of this library: compiles with its row, and not without', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'turnwire contributing '));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    for (const part of ['base', 'protocol'])
      cpSync(join(root, 'packages', 'client', 'src', part), join(folder, part), { recursive: true });
    const edit = (file: string, after: string, line: string): void => {
      const path = join(folder, 'protocol', file);
      const text = readFileSync(path, 'utf8');
      assert.ok(text.includes(after), file);
      writeFileSync(path, text.replace(after, `${after}\n${line}`));
    };
    const compile = (): string => {
      const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
      const flags = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--types', ''];
      const files = [join(folder, 'protocol', 'errors', 'errors.ts')];
      return spawnSync(process.execPath, [tsc, ...flags, ...files], { encoding: 'utf8', cwd: folder }).stdout;
    };
    edit('errors/error-codes.ts', 'export const errorCodes = [', "  'abducted',");
    assert.match(compile(), /failure-table\.ts.*abducted/s);
    edit(
      'errors/failure-table.ts',
      'export const codeTable: Readonly<Record<ErrorCode, CodeMeaning>> = {',
      "  abducted: { kind: 'network', ran: 'sent' },",
    );
    assert.equal(compile(), '');
  });
});
