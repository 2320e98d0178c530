import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { Approver } from '../../../dist/agent/calls/approval.js';
import { outputText } from '../../../dist/agent/tools/output.js';
import type { Tool } from '../../../dist/agent/tools/tool.js';
import { toolsOf } from '../tools/tools.js';
import { scratch } from '../scratch.js';
import { type Kind, type Written, approver, need, nothing, permissionsOf, read, shell, tool } from './rules.js';

describe('rules: their order', () => {
  const rules = {
    deny: ['shell:cmd=sudo*'],
    allow: ['shell:cmd=git status*', 'write_file', 'mcp:github:get_*'],
    ask: ['read_file:path=*.env'],
  };
  const table: readonly (readonly [string, Tool, unknown, 'yolo' | Approver, Kind])[] = [
    ['what is denied', shell, { cmd: 'sudo ls' }, approver, 'refused'],
    ['what is denied, with yolo', shell, { cmd: 'sudo ls' }, 'yolo', 'refused'],
    ['anything else, with yolo', shell, { cmd: 'ls' }, 'yolo', 'nothing'],
    ['what is allowed', shell, { cmd: 'git status -s' }, approver, 'nothing'],
    ['what is neither', shell, { cmd: 'git push' }, approver, 'answer'],
    ['what only reads', read, { path: 'a' }, approver, 'nothing'],
    ['what only reads, and is asked for', read, { path: 'x/.env' }, approver, 'answer'],
    [
      'a tool of an MCP server',
      tool('github_get_issue', false, { alias: 'mcp:github:get_issue' }),
      {},
      approver,
      'nothing',
    ],
  ];
  for (const [name, which, args, approval, expected] of table) {
    test(name, async () => assert.equal(await need(rules, which, args, approval), expected));
  }

  test('an answer "always" holds for one tool of one agent in this session, and not against a denial', async () => {
    const permissions = permissionsOf(rules);
    const after = async (agent: string, which: Tool, args: unknown) =>
      (await permissions.needs(agent, which, args)).kind;
    assert.equal(permissions.allows('root', shell, 'always', nothing), true);
    assert.equal(await after('root', shell, { cmd: 'ls' }), 'nothing');
    assert.equal(await after('root', shell, { cmd: 'sudo ls' }), 'refused');
    assert.equal(await after('root', tool('other', false), {}), 'answer');
    // Another agent's shell, and another server's tool that came to the same name.
    assert.equal(await after('helper', shell, { cmd: 'ls' }), 'answer');
    assert.equal(await after('root', { ...shell, alias: 'mcp:x:shell' }, { cmd: 'ls' }), 'answer');
  });
});

describe('rules about commands', () => {
  for (const cmd of [
    'git status; rm x',
    'git status && rm x',
    'git status\nrm x',
    'git status $(rm x)',
    'git status `rm x`',
    'git status > x',
    'git status | sh',
    'A=1 git status',
    'git  status',
  ]) {
    test(`a rule that allows a command allows no other one with it: ${JSON.stringify(cmd)}`, async () => {
      assert.equal(await need({ allow: ['shell:cmd=git status*'] }, shell, { cmd }), 'answer');
    });
  }

  const denied = [
    'rm -rf /',
    'ls; rm -rf /',
    '  rm   -rf /',
    'A=1 rm -rf /',
    'sudo -u root rm -rf /',
    '"rm" -rf /',
    '/bin/rm -rf /',
    `sh -c 'rm -rf /'`,
    'echo $(rm -rf /)',
    '>x rm -rf /',
  ];
  for (const cmd of denied) {
    test(`a denied command is found in the text of a shell: ${JSON.stringify(cmd)}`, async () => {
      assert.equal(await need({ deny: ['shell:cmd=rm -rf*'] }, shell, { cmd }, 'yolo'), 'refused');
    });
  }

  test('several blanks in a rule count as one blank', async () => {
    assert.equal(await need({ deny: ['shell:cmd=touch  bad*'] }, shell, { cmd: 'touch bad' }, 'yolo'), 'refused');
  });

  test('a command that cannot be parsed to its end is held by rules that deny, and allowed by none', async () => {
    const cmd = '$('.repeat(1000);
    assert.equal(await need({ deny: ['shell:cmd=rm*'] }, shell, { cmd }, 'yolo'), 'refused');
    assert.equal(await need({ allow: ['shell:cmd=rm*'] }, shell, { cmd }), 'answer');
  });

  test('shell rules that deny or ask also hold for background jobs; rules that allow do not', async (t) => {
    const { box } = await toolsOf(t, [{ type: 'shell' }]);
    const job = box.tools.find(({ name }) => name === 'run_background_job') ?? assert.fail();
    const rules = { deny: ['shell:cmd=sudo*'], allow: ['shell:cmd=git status*'], ask: ['shell:cmd=ls*'] };
    assert.equal(await need(rules, job, { cmd: 'ls; sudo ls' }, 'yolo'), 'refused');
    assert.equal(await need(rules, job, { cmd: 'git status' }), 'answer');
    assert.equal(await need(rules, { ...job, readOnly: true }, { cmd: 'ls' }), 'answer');
  });
});

async function files(t: TestContext) {
  const folder = await scratch(t, {
    'docs/a.md': '',
    'secret/key.txt': 'needle',
    'secret/deep/b.txt': 'needle',
    'open.txt': 'needle',
    '.env': 'needle',
  });
  await symlink('secret', join(folder, 'link'));
  const { box, call } = await toolsOf(t, [{ type: 'filesystem' }, { type: 'shell' }], { directory: folder });
  const named = (name: string) => box.tools.find((each) => each.name === name) ?? assert.fail(name);
  return { folder, named, call };
}

describe(
  'rules about paths: a rule that allows is compared with the resolved path',
  { skip: process.platform === 'win32' },
  () => {
    const table: readonly (readonly [string, string, Kind])[] = [
      ['docs/*', 'docs/new.md', 'nothing'],
      ['docs/*', './docs/../docs/new.md', 'nothing'],
      ['./docs/*', 'docs/new.md', 'nothing'],
      ['docs/', 'docs/new.md', 'nothing'],
      ['docs/**/*.md', 'docs/new.md', 'nothing'],
      ['docs/*', 'docs/../new.md', 'answer'],
      ['docs/*', 'docs/../../new.md', 'answer'],
      ['docs/*', 'docs/../link/new.md', 'answer'],
      ['link/*', 'link/new.md', 'answer'],
      ['secret/*', 'link/new.md', 'nothing'],
      ['docs/*', 'other/docs/new.md', 'answer'],
      ['docs/*', '~/docs/new.md', 'answer'],
    ];
    for (const [glob, path, expected] of table) {
      test(`${glob} and ${path}: ${expected}`, async (t) => {
        const { named } = await files(t);
        assert.equal(
          await need({ allow: [`write_file:path=${glob}`] }, named('write_file'), { path, content: '' }),
          expected,
        );
      });
    }

    test('an absolute path is itself; of several paths, each has to be allowed', async (t) => {
      const { folder, named } = await files(t);
      const rules = { allow: ['write_file:path=docs/*', 'create_directory:paths=docs/*'] };
      assert.equal(await need(rules, named('write_file'), { path: join(folder, 'docs/x'), content: '' }), 'nothing');
      assert.equal(await need(rules, named('create_directory'), { paths: ['docs/a', 'docs/b'] }), 'nothing');
      assert.equal(await need(rules, named('create_directory'), { paths: ['docs/a', 'b'] }), 'answer');
      assert.equal(
        await need({ allow: [`write_file:path=${folder}/docs/*`] }, named('write_file'), {
          path: 'docs/x',
          content: '',
        }),
        'nothing',
      );
    });

    test('a path with .. in the call of an MCP server is not allowed', async () => {
      const far = tool('fs_write', false, { alias: 'mcp:fs:write' });
      const rules = { allow: ['mcp:fs:write:path=docs/*'] };
      assert.equal(await need(rules, far, { path: 'docs/a' }), 'nothing');
      for (const path of ['docs/../a', 'docs/..', 'docs//../a', 'docs/./../../a', 'docs\\..\\a'])
        assert.equal(await need(rules, far, { path }), 'answer', path);
    });
  },
);

describe(
  'rules about paths: a rule that denies is compared with the resolved path and with the text',
  { skip: process.platform === 'win32' },
  () => {
    const table: readonly (readonly [string, string])[] = [
      ['secret/*', 'secret/key.txt'],
      ['secret/*', './secret/key.txt'],
      ['secret/*', 'docs/../secret/key.txt'],
      ['secret/*', 'link/key.txt'],
      ['link/*', 'link/key.txt'],
      ['link/*', 'docs/../link/key.txt'],
      ['secret/*', 'secret/deep/b.txt'],
      ['secret/', 'secret/key.txt'],
      ['secret/**/*.txt', 'secret/key.txt'],
      ['**/*.txt', 'open.txt'],
      ['.env', './/.env'],
      ['*', '.env'],
      ['~/x', '~/x'],
    ];
    for (const [glob, path] of table) {
      test(`${glob} and ${path}`, async (t) => {
        const { named } = await files(t);
        assert.equal(await need({ deny: [`read_file:path=${glob}`] }, named('read_file'), { path }, 'yolo'), 'refused');
      });
    }

    test('a pattern from the root, and one from home', async (t) => {
      const { folder, named } = await files(t);
      assert.equal(
        await need(
          { deny: [`read_file:path=${folder}/secret/*`] },
          named('read_file'),
          { path: 'link/key.txt' },
          'yolo',
        ),
        'refused',
      );
      assert.equal(
        await need(
          { deny: ['read_file:path=~/.ssh/*'] },
          named('read_file'),
          { path: join(homedir(), '.ssh/id') },
          'yolo',
        ),
        'refused',
      );
    });

    test('a rule that denies holds for a path in upper and in lower case, and in each form of Unicode', async (t) => {
      const { named } = await files(t);
      const read = named('read_file');
      assert.equal(
        await need({ deny: ['read_file:path=Secret/*'] }, read, { path: 'SECRET/key.txt' }, 'yolo'),
        'refused',
      );
      const accented = { deny: ['read_file:path=se\u0301/*'] };
      assert.equal(await need(accented, read, { path: 's\u00e9/x' }, 'yolo'), 'refused');
    });

    test('removing a folder with its content is restrained by rules about that content', async (t) => {
      const { named } = await files(t);
      const rules = { deny: ['remove_directory:paths=secret/deep/*'] };
      for (const paths of [['secret'], ['docs', 'link/../secret'], ['.']])
        assert.equal(
          await need(rules, named('remove_directory'), { paths, recursive: true }, 'yolo'),
          'refused',
          paths.join(),
        );
      assert.equal(await need(rules, named('remove_directory'), { paths: ['docs'] }, 'yolo'), 'nothing');
    });

    test('a rule about the folder of a command holds for the place', async (t) => {
      const { named } = await files(t);
      for (const args of [
        { cmd: 'ls', cwd: 'docs/../secret' },
        { cmd: 'ls', cwd: 'link' },
      ])
        assert.equal(await need({ deny: ['shell:cwd=secret'] }, named('shell'), args, 'yolo'), 'refused');
      assert.equal(await need({ deny: ['shell:cwd=.'] }, named('shell'), { cmd: 'ls' }, 'yolo'), 'refused');
    });
  },
);

describe(
  'rules about reading: similar tools, for rules that deny and ask',
  { skip: process.platform === 'win32' },
  () => {
    test('a rule that denies read_file holds for the other tools that read files', async (t) => {
      const { named } = await files(t);
      const rules = { deny: ['read_file:path=secret/*'] };
      assert.equal(
        await need(rules, named('read_multiple_files'), { paths: ['docs/a.md', 'link/key.txt'] }, 'yolo'),
        'refused',
      );
      assert.equal(await need(rules, named('read_multiple_files'), { paths: ['docs/a.md'] }, 'yolo'), 'nothing');
      assert.equal(
        await need(rules, named('search_files_content'), { path: 'secret/key.txt', query: 'x' }, 'yolo'),
        'refused',
      );
      assert.equal(
        await need({ deny: ['read_file'] }, named('search_files_content'), { query: 'x' }, 'yolo'),
        'refused',
      );
      assert.equal(
        await need({ ask: ['read_file:path=.env'] }, named('read_multiple_files'), { paths: ['.env'] }),
        'answer',
      );
      assert.equal(await need({ deny: ['read_file'] }, named('list_directory'), { path: '.' }, 'yolo'), 'nothing');
    });

    test('a rule that allows read_file allows none of the other tools that read files', async (t) => {
      const { named } = await files(t);
      const rules = { allow: ['read_file'], ask: ['read_multiple_files'] };
      assert.equal(await need(rules, named('read_multiple_files'), { paths: ['docs/a.md'] }), 'answer');
    });

    test('a search leaves out what a rule denies or asks for, and says so', async (t) => {
      const { named } = await files(t);
      const search = named('search_files_content');
      const searched = async (rules: Written, approval: 'yolo' | Approver = approver) => {
        const permissions = permissionsOf(rules, approval);
        const limits = permissions.limits('root', search, await permissions.needs('root', search, { query: 'needle' }));
        const output = await search.run({ query: 'needle' }, { signal: new AbortController().signal, ...limits });
        return outputText(output).split('\n');
      };
      assert.deepEqual(await searched({ deny: ['read_file:path=secret/*'], ask: ['read_file:path=.env'] }), [
        'open.txt:1: needle',
        '[3 files were left out: rules of the user restrain reading them]',
      ]);
      // Nothing is asked for under yolo.
      assert.deepEqual(await searched({ deny: ['read_file:path=secret/*'], ask: ['read_file:path=.env'] }, 'yolo'), [
        '.env:1: needle',
        'open.txt:1: needle',
        '[2 files were left out: rules of the user restrain reading them]',
      ]);
      assert.equal((await searched({})).length, 4);
    });
  },
);

describe('rules as docker-agent documents them', () => {
  const query = tool('db_query', false, { alias: 'mcp:db:query' });
  const file = tool('write_file', false);
  const refusedBy: readonly (readonly [rule: string, which: Tool, args: unknown])[] = [
    ['SHELL', shell, { cmd: 'ls' }],
    ['Mcp:DB:*', query, { sql: 'select 1' }],
    ['mcp:db:query:sql=drop *', query, { sql: 'DROP TABLE users' }],
    ['shell:cmd=SUDO *', shell, { cmd: 'sudo ls' }],
    ['shell:cmd=sudo *', shell, { cmd: 'ls; SUDO ls' }],
    ['shell:cmd=[rR]m *', shell, { cmd: 'rm -rf x' }],
    ['shell:cmd=git push*[^s]', shell, { cmd: 'git push origin main' }],
    ['[sm]hell', shell, { cmd: 'ls' }],
    ['write_file:path=/etc/[a-z]*', file, { path: '/etc/passwd' }],
    ['write_file:path=app/[id].ts', file, { path: 'app/[id].ts' }],
    ['mcp:db:query:sql=\\*', query, { sql: '*' }],
    ['mcp:db:query:sql=C:\\*', query, { sql: 'C:\\x' }],
    ['mcp:db:query:sql=a?c', query, { sql: 'abc' }],
    ['mcp:db:query:sql=[z-a]', query, { sql: '[z-a]' }],
  ];
  for (const [rule, which, args] of refusedBy)
    test(`deny: ${rule} refuses ${which.name} ${JSON.stringify(args)}, with yolo, too`, async () => {
      assert.equal(await need({ deny: [rule] }, which, args, 'yolo'), 'refused');
    });

  const askedBy: readonly (readonly [rule: string, args: unknown])[] = [
    ['shell:cmd=[rR]m *', { cmd: 'am x' }],
    ['shell:cmd=git push*[^s]', { cmd: 'git push tags' }],
    ['shell:cmd=[a-c]*', { cmd: 'ls' }],
  ];
  for (const [rule, args] of askedBy)
    test(`deny: ${rule} does not refuse ${JSON.stringify(args)}`, async () => {
      assert.equal(await need({ deny: [rule] }, shell, args), 'answer');
    });

  test('a class allows what is in it, and a rule that allows keeps upper and lower case apart', async () => {
    assert.equal(await need({ allow: ['shell:cmd=ls [ab].txt'] }, shell, { cmd: 'ls a.txt' }), 'nothing');
    assert.equal(await need({ allow: ['shell:cmd=ls [ab].txt'] }, shell, { cmd: 'ls c.txt' }), 'answer');
    assert.equal(await need({ allow: ['shell:cmd=ls*'] }, shell, { cmd: 'LS x' }), 'answer');
  });
});
