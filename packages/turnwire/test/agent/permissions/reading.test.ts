import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Approver } from '../../../dist/agent/calls/approval.js';
import { toolsOf } from '../tools/tools.js';
import { type Written, approver, need, permissionsOf, tool } from './rules.js';

/** The MCP server of the tests, whose tool `add` says that it only reads. */
const server = {
  command: process.execPath,
  args: [fileURLToPath(new URL('../mcp/servers/sdk-server-command.js', import.meta.url))],
};

describe('tools of MCP servers that call themselves read-only', { skip: process.platform === 'win32' }, () => {
  for (const trusted of [undefined, false, true]) {
    test(`trust_annotations: ${trusted}`, async (t) => {
      const { box } = await toolsOf(t, [{ type: 'mcp', ...server, trust_annotations: trusted }]);
      const add = box.tools.find(({ name }) => name === 'add') ?? assert.fail();
      assert.equal(await need({}, add, { a: 1, b: 2 }), trusted === true ? 'nothing' : 'answer');
    });
  }
});

describe('fetch beside tools that read files or run commands', () => {
  const addresses = (args: unknown) =>
    (args as { urls: string[] }).urls.flatMap((url) => (URL.canParse(url) ? [new URL(url)] : []));
  const fetch = tool('fetch', true, { addresses });
  const revealing = tool('read_file', true, { revealing: true });
  const at = (...urls: string[]) => ({ urls });

  test('the first request to each host needs an answer', async () => {
    const permissions = permissionsOf({}, approver, [fetch, revealing]);
    const first = await permissions.needs(
      'root',
      fetch,
      at('https://a.example/x?secret', 'https://a.example/y', 'https://b.example/'),
    );
    assert.equal(first.kind, 'answer');
    const asked = first.kind === 'answer' ? first.addresses : [];
    assert.deepEqual(
      asked.map(({ host }) => host),
      ['a.example', 'b.example'],
    );
    assert.match(
      (first.kind === 'answer' && first.reason) || '',
      /^it is the first request to a\.example and b\.example/,
    );
    permissions.allows('root', fetch, 'no', { addresses: asked, folders: [] });
    assert.equal((await permissions.needs('root', fetch, at('https://a.example/'))).kind, 'answer');
    permissions.allows('root', fetch, 'yes', { addresses: asked, folders: [] });
    assert.equal(
      (await permissions.needs('root', fetch, at('https://a.example/z', 'https://b.example/'))).kind,
      'nothing',
    );
    assert.equal((await permissions.needs('root', fetch, at('https://c.example/'))).kind, 'answer');
  });

  test('fetch needs no answer as the only such tool, under yolo, and by a rule that allows the address', async () => {
    const args = at('https://a.example/x');
    assert.equal((await permissionsOf({}, approver, [fetch]).needs('root', fetch, args)).kind, 'nothing');
    assert.equal((await permissionsOf({}, 'yolo', [fetch, revealing]).needs('root', fetch, args)).kind, 'nothing');
    const rules = { allow: ['fetch:urls=https://a.example/*'] };
    const needs = async (...urls: string[]) =>
      (await permissionsOf(rules, approver, [fetch, revealing]).needs('root', fetch, at(...urls))).kind;
    assert.equal(await needs('https://a.example/x', 'https://a.example'), 'nothing');
    for (const url of [
      'https://b.example/',
      'https://a.example.b.example/',
      'https://a.example@b.example/',
      'http://a.example/',
      'no address',
    ])
      assert.equal(await needs('https://a.example/', url), 'answer', url);
  });

  test('a redirect is followed only to hosts that a request may go to', async () => {
    const reaches = async (rules: Written, url: string, approval: 'yolo' | Approver = approver) => {
      const permissions = permissionsOf(rules, approval, [fetch, revealing]);
      permissions.allows('root', fetch, 'yes', { addresses: [new URL('https://known.example/')], folders: [] });
      const { mayReach } = permissions.limits('root', fetch, { kind: 'nothing', restrained: false, by: 'yolo' });
      return mayReach?.(new URL(url));
    };
    assert.equal(await reaches({}, 'https://known.example/x'), true);
    assert.equal(await reaches({}, 'https://other.example/x'), false);
    assert.equal(await reaches({ allow: ['fetch:urls=https://other.example/*'] }, 'https://other.example/x'), true);
    assert.equal(await reaches({}, 'https://other.example/x', 'yolo'), true);
    assert.equal(
      await reaches({ deny: ['fetch:urls=https://other.example/*'] }, 'https://other.example/x', 'yolo'),
      false,
    );
  });

  test('a denied address is denied in every spelling', async () => {
    const rules = { deny: ['fetch:urls=https://a.example/secret*'] };
    for (const url of [
      'https://a.example/secret',
      ' https://a.example/secret',
      'HTTPS://A.example:443/secret',
      'https://a.example./secret',
      'https://a.example/x/../secret',
      'https://a.example/%73ecret',
    ])
      assert.equal(await need(rules, fetch, at('https://b.example/', url), 'yolo'), 'refused', url);
    assert.equal(await need(rules, fetch, at('https://a.example/open'), 'yolo'), 'nothing');
  });
});
