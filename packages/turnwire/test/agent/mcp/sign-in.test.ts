import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { ToolsetOptions } from '../../../dist/agent/tools/toolset.js';
import { scratch } from '../scratch.js';
import { toolsOf, type Toolsets } from '../tools/tools.js';
import { oauthServer } from './servers/oauth-server.js';

/** A user who answers each question, and what they were asked and told. */
function userWho(answer: string | undefined) {
  const [asked, told]: [string[], string[]] = [[], []];
  const askUser: ToolsetOptions['askUser'] = (question) => {
    asked.push(question);
    return Promise.resolve(answer);
  };
  return { asked, told, askUser, warn: (message: string) => void told.push(message) };
}

type Remote = NonNullable<Extract<Toolsets[number], { type: 'mcp' }>['remote']>;

const toolset = (url: string, more: Partial<Remote> = {}): Toolsets => [
  { type: 'mcp', name: 'calc', remote: { url, transport_type: 'streamable', ...more } },
];

async function homeOf(t: TestContext): Promise<string> {
  return join(await scratch(t), 'home');
}

async function kept(home: string): Promise<{ text: string; mode: number }[]> {
  const folder = join(home, 'oauth');
  const names = await readdir(folder);
  return Promise.all(
    names.map(async (name) => ({
      text: await readFile(join(folder, name), 'utf8'),
      mode: (await stat(join(folder, name))).mode & 0o777,
    })),
  );
}

describe('sign-in at a remote MCP server', () => {
  test('the user is asked, the browser comes back, and the tokens are kept for the user alone', async (t) => {
    const [server, home, user] = [await oauthServer(t), await homeOf(t), userWho('y')];
    const { call } = await toolsOf(t, toolset(server.url), { home, ...user, browse: server.browse });
    assert.equal(await call('calc_add', { a: 2, b: 3 }), '5');
    const { origin } = new URL(server.url);
    assert.deepEqual(user.asked, [
      `The MCP server calc wants you to sign in at ${origin}. Open it in the browser? [y]es or [n]o`,
    ]);
    assert.deepEqual(user.told, []);
    const authorize = server.requests.find(({ path }) => path === '/authorize')?.fields;
    assert.equal(authorize?.['code_challenge_method'], 'S256');
    assert.match(String(authorize?.['redirect_uri']), /^http:\/\/127\.0\.0\.1:\d+\/callback$/);
    const [file, ...more] = await kept(home);
    assert.deepEqual(more, []);
    assert.match(file?.text ?? '', /access-/);
    if (process.platform !== 'win32') assert.equal(file?.mode, 0o600);
  });

  test('a later run uses the stored tokens, and does not ask the user', async (t) => {
    const [server, home, user] = [await oauthServer(t), await homeOf(t), userWho('y')];
    await toolsOf(t, toolset(server.url), { home, ...user, browse: server.browse });
    const { call } = await toolsOf(t, toolset(server.url), { home });
    assert.equal(await call('calc_add', { a: 1, b: 1 }), '2');
    assert.equal(user.asked.length, 1);
  });

  test('a token that has run out is renewed, and the call sent again', async (t) => {
    const [server, home, user] = [await oauthServer(t), await homeOf(t), userWho('y')];
    const { call } = await toolsOf(t, toolset(server.url), { home, ...user, browse: server.browse });
    server.expire('access');
    const sums = [call('calc_add', { a: 1, b: 1 }), call('calc_add', { a: 1, b: 2 })];
    assert.deepEqual(await Promise.all(sums), ['2', '3']);
    const renewals = server.requests.filter(({ fields }) => fields['grant_type'] === 'refresh_token');
    assert.deepEqual([renewals.length, user.asked.length], [1, 1]);
  });

  test('where it cannot be renewed, the user signs in anew, by the same client', async (t) => {
    const [server, home, user] = [await oauthServer(t), await homeOf(t), userWho('y')];
    const { call } = await toolsOf(t, toolset(server.url), { home, ...user, browse: server.browse });
    server.expire('all');
    assert.equal(await call('calc_add', { a: 1, b: 1 }), '2');
    assert.deepEqual(await Promise.all([call('calc_add', { a: 1, b: 1 }), call('calc_add', { a: 1, b: 2 })]), [
      '2',
      '3',
    ]);
    assert.equal(user.asked.length, 2);
    assert.equal(server.requests.filter(({ path }) => path === '/register').length, 1);
  });

  test('a call that needs more rights has the user sign in for them, and is sent again', async (t) => {
    const server = await oauthServer(t, { callScope: 'write' });
    const [home, user] = [await homeOf(t), userWho('y')];
    const { call } = await toolsOf(t, toolset(server.url), { home, ...user, browse: server.browse });
    const sums = [call('calc_add', { a: 1, b: 1 }), call('calc_add', { a: 1, b: 2 })];
    assert.deepEqual(await Promise.all(sums), ['2', '3']);
    const { origin } = new URL(server.url);
    assert.deepEqual(user.asked, [
      `The MCP server calc wants you to sign in at ${origin}. Open it in the browser? [y]es or [n]o`,
      `The MCP server calc wants you to sign in at ${origin}, for more rights (write). Open it in the browser? [y]es or [n]o`,
    ]);
    // What was granted is asked for again: the new token takes the place of the old one.
    const scopes = server.requests.filter(({ path }) => path === '/authorize').map(({ fields }) => fields['scope']);
    assert.deepEqual(scopes, ['all', 'all write']);
    assert.equal(server.requests.filter(({ fields }) => fields['grant_type'] === 'refresh_token').length, 0);
    // Renewed, it is as good.
    server.expire('access');
    assert.equal(await call('calc_add', { a: 2, b: 2 }), '4');
    assert.equal(user.asked.length, 2);
  });

  test('a call whose rights the provider does not grant fails, and asks once', async (t) => {
    const server = await oauthServer(t, { callScope: 'write', grants: false });
    const [home, user] = [await homeOf(t), userWho('y')];
    const { call } = await toolsOf(t, toolset(server.url), { home, ...user, browse: server.browse });
    await assert.rejects(Promise.resolve(call('calc_add', { a: 1, b: 1 })), {
      message:
        'no result from the MCP server calc: it wants more rights than the sign-in has (write); the call did not run',
    });
    assert.equal(user.asked.length, 2);
  });

  test('without a terminal the sentence says what to do', async (t) => {
    const server = await oauthServer(t);
    await assert.rejects(toolsOf(t, toolset(server.url), { home: await homeOf(t) }), {
      message:
        'the MCP server calc cannot be used: it wants a sign-in; start turnwire run at a terminal and sign in there once, or send a token by "headers" of "remote", such as Authorization: Bearer ${env.NAME}',
    });
    assert.deepEqual(
      server.requests.filter(({ path }) => path !== '/mcp'),
      [],
    );
  });

  test('a no of the user declines the sign-in, and no browser is opened', async (t) => {
    const [server, user] = [await oauthServer(t), userWho('n')];
    const browse = (): Promise<void> => assert.fail('the browser was opened');
    const { box } = await toolsOf(t, toolset(server.url), { home: await homeOf(t), ...user, browse });
    assert.deepEqual(box.tools, []);
    assert.match(user.told.join('\n'), /calc cannot be used: it wants a sign-in, which was declined; the run goes on/);
  });

  test('a redirect by another page is not accepted, and a refusal of the provider is reported', async (t) => {
    const [server, user] = [await oauthServer(t), userWho('y')];
    const answers: number[] = [];
    const browse = async (address: string): Promise<void> => {
      const asked = new URL(address).searchParams;
      const back = asked.get('redirect_uri') ?? '';
      answers.push((await fetch(`${back}?code=stolen&state=guessed`)).status);
      answers.push((await fetch(`${back}?error=access_denied&state=${asked.get('state')}`)).status);
    };
    await toolsOf(t, toolset(server.url), { home: await homeOf(t), ...user, browse });
    assert.deepEqual(answers, [400, 400]);
    assert.match(user.told.join('\n'), /the sign-in was refused: access_denied/);
  });

  test('a client of the file signs in with its scopes, its secret and its redirect address', async (t) => {
    const [server, user] = [await oauthServer(t, { registers: false }), userWho('y')];
    // Sends the browser on to this machine, as the address in front of it would.
    const front = createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? '/', 'http://here');
      const to = `http://127.0.0.1:${searchParams.get('port')}/callback?${searchParams.toString()}`;
      response.writeHead(302, { location: to }).end();
    }).listen(0, '127.0.0.1');
    t.after(() => void front.close());
    await new Promise((resolve) => front.once('listening', resolve));
    const address = front.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const oauth = {
      clientId: 'known',
      clientSecret: '${env.SECRET}',
      callbackRedirectURL: `http://127.0.0.1:${port}/cb?port=\${callbackPort}`,
      scopes: ['read', 'write'],
    };
    const { call } = await toolsOf(t, toolset(server.url, { oauth }), {
      home: await homeOf(t),
      ...user,
      browse: server.browse,
      secret: () => Promise.resolve('s3cr3t'),
    });
    assert.equal(await call('calc_add', { a: 1, b: 1 }), '2');
    const { fields: authorize } = server.requests.find(({ path }) => path === '/authorize') ?? {};
    assert.deepEqual([authorize?.['client_id'], authorize?.['scope']], ['known', 'read write']);
    const token = server.requests.find(({ path }) => path === '/token');
    assert.equal(token?.authorization, `Basic ${Buffer.from('known:s3cr3t').toString('base64')}`);
  });

  test('a refused token of the file starts no sign-in', async (t) => {
    const [server, user] = [await oauthServer(t), userWho('y')];
    await toolsOf(t, toolset(server.url, { headers: { Authorization: 'Bearer stale-token' } }), { ...user });
    assert.match(user.told.join('\n'), /it refuses the token that "headers" of "remote" has for it \(status 401\)/);
    assert.deepEqual(user.asked, []);
  });
});
