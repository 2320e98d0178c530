import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setImmediate as nextRound } from 'node:timers/promises';
import { isPrivateAddress } from '../../../dist/agent/tools/web/private-address.js';
import { toolsOf } from './tools.js';

const skip = process.platform === 'win32';

describe('toolsets', () => {
  test('todo: entries are added, changed all or none, and listed in order', async (t) => {
    const { call } = await toolsOf(t, [{ type: 'todo' }]);
    assert.equal(await call('create_todo', { description: 'look' }), 'todo_1');
    assert.equal(await call('create_todos', { descriptions: ['do', 'check'] }), 'todo_2, todo_3');
    await assert.rejects(
      call('update_todos', {
        updates: [
          { id: 'todo_1', status: 'completed' },
          { id: 'todo_9', status: 'completed' },
        ],
      }),
      /todo_9; nothing was changed/,
    );
    await call('update_todos', { updates: [{ id: 'todo_2', status: 'in-progress' }] });
    assert.equal(await call('list_todos'), 'todo_1 [pending] look\ntodo_2 [in-progress] do\ntodo_3 [pending] check');
  });

  test('memory: entries stay for the next session, and can be found, changed and deleted', async (t) => {
    const first = await toolsOf(t, [{ type: 'memory', path: 'kept/notes.json' }]);
    const [cat] = await Promise.all([
      first.call('add_memory', { memory: 'The cat is called Tom.' }),
      first.call('add_memory', { memory: 'Tea, no coffee.' }),
    ]);
    const second = await toolsOf(t, [{ type: 'memory', path: 'kept/notes.json' }], { directory: first.directory });
    assert.match(await second.call('get_memories'), /Tom\.\n.*no coffee\.$/);
    assert.match(await second.call('search_memories', { query: 'COFFEE' }), /^[^\n]*Tea, no coffee\.$/);
    await second.call('update_memory', { id: cat, memory: 'The cat is called Tim.' });
    assert.match(await first.call('search_memories', { query: 'cat' }), /Tim/);
    await second.call('delete_memory', { id: cat });
    assert.equal(await first.call('search_memories', { query: 'cat' }), 'Nothing is remembered.');
    await assert.rejects(first.call('delete_memory', { id: cat }), /nothing is remembered under/);
  });

  test('memory: a file of another program is not replaced', async (t) => {
    const { directory, call } = await toolsOf(t, [{ type: 'memory', path: 'package.json' }]);
    await writeFile(join(directory, 'package.json'), '{"name":"mine"}');
    await assert.rejects(call('add_memory', { memory: 'x' }), /holds no memories/);
    assert.equal(await readFile(join(directory, 'package.json'), 'utf8'), '{"name":"mine"}');
  });

  test(
    'script: arguments are variables and never code; a missing and an unknown one are refused',
    { skip },
    async (t) => {
      const { call, box } = await toolsOf(
        t,
        [
          {
            type: 'script',
            env: { SHARED: '${env.TOKEN}' },
            shell: {
              greet: {
                cmd: 'printf "%s %s %s" "$word" "$count" "$SHARED"',
                args: { word: { type: 'string' }, count: {} },
                required: ['word'],
              },
            },
          },
        ],
        { secret: (name) => Promise.resolve(`secret of ${name}`) },
      );
      assert.equal(
        await call('greet', { word: '$(touch made); "x"', count: [1] }),
        '$(touch made); "x" [1] secret of TOKEN',
      );
      await assert.rejects(call('greet', { count: 1 }), /word is missing/);
      await assert.rejects(call('greet', { word: 'a', PATH: '/tmp' }), /there is no PATH/);
      assert.deepEqual(box.tools[0]?.parameters['required'], ['word']);
    },
  );

  test('user_prompt: gives the user’s answer or the chosen option; without a user the call fails', async (t) => {
    const asked: string[] = [];
    const answers = ['blue', '2', undefined];
    const { call } = await toolsOf(t, [{ type: 'user_prompt' }], {
      askUser: (question) => {
        asked.push(question);
        return Promise.resolve(answers[asked.length - 1]);
      },
    });
    assert.equal(await call('user_prompt', { message: 'Which colour?' }), 'blue');
    assert.equal(await call('user_prompt', { message: 'Which?', options: ['tea', 'milk'] }), 'milk');
    assert.equal(await call('user_prompt', { message: 'And?' }), 'The user gave no answer.');
    assert.match(asked[1] ?? '', /1\. tea\n {2}2\. milk/);
    const alone = await toolsOf(t, [{ type: 'user_prompt' }]);
    await assert.rejects(alone.call('user_prompt', { message: 'Which?' }), /nobody to ask/);
  });

  test('shell: a command in the background is listed, seen and stopped, with its children', { skip }, async (t) => {
    const { call } = await toolsOf(t, [{ type: 'shell' }]);
    assert.equal(await call('run_background_job', { cmd: 'echo begun; sleep 1000 & wait' }), 'Started job_1.');
    let seen = '';
    while (!seen.includes('begun\n')) {
      await nextRound();
      seen = await call('view_background_job', { job_id: 'job_1' });
    }
    assert.match(await call('list_background_jobs'), /^job_1, running, \d+ s: echo begun/);
    assert.match(await call('stop_background_job', { job_id: 'job_1' }), /begun\n\[job_1, ended by SIGTERM/);
    await assert.rejects(call('view_background_job', { job_id: 'job_7' }), /there is no job job_7; the jobs are job_1/);
  });

  test('shell: background commands end when the tools are closed', { skip }, async (t) => {
    const { call, box, directory } = await toolsOf(t, [{ type: 'shell' }]);
    await call('run_background_job', { cmd: 'echo $$ > pid; sleep 1000' });
    let pid = 0;
    while (!(pid > 0)) pid = Number(await readFile(join(directory, 'pid'), 'utf8').catch(() => ''));
    await box.close();
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z ');
    assert.match(state, /\) [ZX] /);
  });

  test('tools: only the named tools are offered; an unknown name is an error with a suggestion', async (t) => {
    const { box } = await toolsOf(t, [
      { type: 'filesystem', tools: ['read_file'] },
      { type: 'think', instruction: 'Think first.' },
    ]);
    assert.deepEqual(
      box.tools.map(({ name }) => name),
      ['read_file', 'think'],
    );
    assert.equal(box.instructions, 'Think first.');
    await assert.rejects(
      toolsOf(t, [{ type: 'filesystem', tools: ['raed_file'] }]),
      /no tool raed_file; did you mean read_file\?/,
    );
    const kept = await toolsOf(t, [{ type: 'todo', instruction: '{ORIGINAL_INSTRUCTIONS} Always.' }]);
    assert.match(kept.box.instructions, /^Write down .* Always\.$/);
  });

  async function site(t: TestContext, answer: RequestListener): Promise<string> {
    const server = createServer(answer).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test('fetch: gives the text of a page, follows redirects, and reports statuses and files that are no text', async (t) => {
    const html = '<script>no</script><h1>Title</h1><p>A &amp; B</p>';
    const answers: Readonly<Record<string, [status: number, headers: Record<string, string>, body: string]>> = {
      '/moved': [302, { location: '/page' }, ''],
      '/page': [200, { 'content-type': 'text/html' }, html],
      '/round': [302, { location: '/round' }, ''],
      '/image': [200, { 'content-type': 'image/png' }, 'x'],
      '/gone': [404, { 'content-type': 'text/plain' }, 'gone'],
    };
    const url = await site(t, (request, response) => {
      const [status, headers, body] = answers[request.url ?? ''] ?? [500, {}, ''];
      response.writeHead(status, headers).end(body);
    });
    const { call } = await toolsOf(t, [{ type: 'fetch', allow_private_ips: true }]);
    const urls = ['/moved', '/round', '/image', '/gone'].map((path) => url + path);
    assert.equal(
      await call('fetch', { urls }),
      [
        `=== ${url}/page, status 200 ===\n# Title\n\nA & B`,
        `=== ${url}/round ===\nError: was redirected more than 5 times`,
        `=== ${url}/image ===\nError: is image/png, not text`,
        `=== ${url}/gone, status 404 ===\ngone`,
      ].join('\n'),
    );
  });

  test('fetch: gives a page as Markdown in its character set, cut between characters', async (t) => {
    const pages: Readonly<Record<string, [type: string, body: Buffer]>> = {
      '/table': ['text/html', Buffer.from('<table><tr><td>a<td>b</table><a href="c">c</a>')],
      '/latin': ['text/html', Buffer.from('<meta charset="iso-8859-1"><p>caf\xe9', 'latin1')],
      '/long': ['text/plain; charset=utf-8', Buffer.from(`x${'é'.repeat(1024 * 1024)}`)],
    };
    const url = await site(t, (request, response) => {
      const [type, body] = pages[request.url ?? ''] ?? ['text/plain', Buffer.from('')];
      response.writeHead(200, { 'content-type': type }).end(body);
    });
    const { call } = await toolsOf(t, [{ type: 'fetch', allow_private_ips: true }]);
    const read = async (path: string): Promise<string> =>
      (await call('fetch', { urls: [url + path], format: 'markdown' })).replace(/^.*\n/, '');
    assert.equal(await read('/table'), `| a | b |\n| --- | --- |\n\n[c](${url}/c)`);
    assert.equal(await read('/latin'), 'café');
    const long = await read('/long');
    assert.ok(!long.includes('\uFFFD'));
    assert.match(long, /é\n\[cut: the page is longer than what was read of it\]$/);
  });

  test('fetch: private addresses are refused, by number and by name, and so are domains that are not allowed', async (t) => {
    let asked = 0;
    const url = await site(t, (_request, response) => {
      asked += 1;
      response.end('secret');
    });
    const { call } = await toolsOf(t, [{ type: 'fetch' }]);
    const urls = [
      url,
      url.replace('127.0.0.1', 'localhost'),
      'http://[::1]/',
      'http://169.254.169.254/latest',
      'file:///etc/passwd',
    ];
    const said = await call('fetch', { urls });
    assert.equal(asked, 0);
    assert.equal(said.split('in a private network').length - 1, 4);
    assert.match(said, /file: is not fetched/);
    const bound = await toolsOf(t, [{ type: 'fetch', allow_private_ips: true, allowed_domains: ['example.com'] }]);
    assert.match(
      await bound.call('fetch', { urls: [url] }),
      /127\.0\.0\.1 may not be fetched from; allowed are example\.com/,
    );
    assert.match(await bound.call('fetch', { urls: ['https://notexample.com'] }), /may not be fetched from/);
    const below = await toolsOf(t, [
      { type: 'fetch', allow_private_ips: true, blocked_domains: ['127.0.0.0/8', '::1'] },
    ]);
    const both = [url, url.replace('127.0.0.1', 'localhost')];
    assert.equal((await below.call('fetch', { urls: both })).split('may not be fetched from').length - 1, 2);
    assert.equal(asked, 0);
  });

  test('fetch: a page that does not come ends at its timeout', async (t) => {
    const url = await site(t, () => undefined);
    const { call } = await toolsOf(t, [{ type: 'fetch', allow_private_ips: true }]);
    assert.match(await call('fetch', { urls: [url], timeout: 0.05 }), /Error: gave no answer within 0\.05 s/);
  });

  test('addresses that are not public', () => {
    const inside = [
      '127.0.0.1',
      '10.1.2.3',
      '172.31.0.1',
      '192.168.1.1',
      '169.254.169.254',
      '100.64.0.1',
      '0.0.0.0',
      '::1',
      '::',
      'fe80::1',
      'fd00::1',
      '::ffff:127.0.0.1',
      'nonsense',
    ];
    assert.deepEqual(
      inside.filter((address) => !isPrivateAddress(address)),
      [],
    );
    assert.deepEqual(['1.1.1.1', '172.32.0.1', '2606:4700::1111', '::ffff:8.8.8.8'].filter(isPrivateAddress), []);
  });

  test('filesystem: files that git ignores are left out, and commands run after an edit', { skip }, async (t) => {
    const { call, directory } = await toolsOf(t, [
      { type: 'shell' },
      {
        type: 'filesystem',
        post_edit: [
          { path: '*.ts', cmd: 'echo "$path" >> edited; test "$path" != src/bad.ts || { echo wrong; exit 1; }' },
          { path: 'lib/**/*.{js,mjs}', cmd: 'echo "deep $path" >> edited' },
        ],
      },
    ]);
    await call('shell', {
      cmd: 'git init -q . && echo "built/" > .gitignore && mkdir built && echo needle > built/a && echo needle > b',
    });
    assert.equal(await call('search_files_content', { query: 'needle' }), 'b:1: needle');
    assert.doesNotMatch(await call('directory_tree', { path: '.' }), /built/);
    await call('write_file', { path: 'src/good.ts', content: '' });
    await call('write_file', { path: 'src/other.md', content: '' });
    for (const path of ['lib/a.js', 'lib/x/y/b.mjs', 'lib/c.css', 'other/d.js'])
      await call('write_file', { path, content: '' });
    assert.match(
      await call('write_file', { path: 'src/bad.ts', content: '' }),
      /Wrote 0 bytes.*\nAfter the edit, .* failed:\nwrong\n\[exit code 1\]$/s,
    );
    assert.equal(
      await readFile(join(directory, 'edited'), 'utf8'),
      'src/good.ts\ndeep lib/a.js\ndeep lib/x/y/b.mjs\nsrc/bad.ts\n',
    );
  });
});
