import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { instructionsAround } from '../../dist/agent/conversation/instructions.js';
import { openTools } from '../../dist/agent/tools/toolsets.js';
import { loadConfig } from '../../dist/config/config.js';
import { toolNames } from '../../dist/config/tool-names.js';
import { agentFile, scratch } from './scratch.js';

/** An agent with these lines in it, and these at the top of the file. */
const root = async (t: TestContext, lines: string, top = '') =>
  (await loadConfig(await agentFile(t, `${top}\nagents:\n  root:\n    model: openai/m\n${lines}`))).root;

const refused = (t: TestContext, lines: string, said: RegExp, top = ''): Promise<void> =>
  assert.rejects(root(t, lines, top), (error: Error) => {
    assert.match(error.message, said);
    return true;
  });

const around = { tools: '', agents: new Map(), now: new Date(0) };

describe('keys of docker-agent', () => {
  test('unsupported keys without an effect (false, empty) are accepted, others are refused', async (t) => {
    await root(
      t,
      '    skills: false\n    rag: []\n    harness: {}\n    redact_secrets: false\n    toolsets: [{ type: shell, safer: false }]\n',
    );
    await refused(t, '    harness: { type: codex }\n', /"harness" is a docker-agent key/);
    assert.equal((await root(t, '    session_compaction: false\n')).sessionCompaction, false);
    await refused(t, '    skils: false\n', /unknown key "skils"; did you mean "skills"\?/);
  });

  test('the refusal of a key that restricts an agent never advises to remove it', async (t) => {
    for (const [lines, said] of [['    safety: strict\n', /instead of it, say under "permissions"/]] as const) {
      await refused(t, lines, said);
      await refused(t, lines, /^((?!remove it).)*$/s);
    }
  });

  test('code_mode_tools leaves no tool to be chosen by its name', async (t) => {
    assert.equal((await root(t, '    code_mode_tools: true\n    tool_choice: required\n')).codeMode, true);
    const choice = '    code_mode_tools: true\n    toolsets: [{ type: think }]\n    tool_choice: think\n';
    await refused(t, choice, /there is no tool "think" to choose, but a function of that name/);
  });

  test('tool_choice names a tool that the agent has from its first turn on', async (t) => {
    const with_ = (toolsets: string, more = '') => `    tool_choice: think\n    toolsets: [${toolsets}]\n${more}`;
    assert.equal((await root(t, with_('{ type: think }'))).toolChoice, 'think');
    await root(t, with_('{ type: mcp, command: x }'));
    await refused(t, with_('{ type: shell }'), /the agent has no tool "think"; give it a toolset/);
    await refused(t, with_('{ type: think, defer: true }'), /"defer" keeps "think" back until/);
  });

  test('unsupported types of hooks are named', async (t) => {
    const hook = (fields: string) => `    hooks: { before_llm_call: [{ ${fields} }] }\n`;
    await refused(t, hook('type: http, url: x'), /"type" must be command, builtin or model, not "http"/);
  });

  test('capabilities say whether the model takes images; what they leave out it does not take', async (t) => {
    const takes = async (capabilities: string) =>
      (await root(t, '    description: x\n', `models: { 'openai/m': { provider: openai, model: m${capabilities} } }`))
        .model.takesImages;
    assert.equal(await takes(''), true);
    assert.equal(await takes(', capabilities: { image: true, pdf: true, audio: true, video: true }'), true);
    assert.equal(await takes(', capabilities: { image: false }'), false);
    assert.equal(await takes(', capabilities: { pdf: true }'), false);
    await assert.rejects(takes(', capabilities: { images: true }'), /unknown key "images"; did you mean "image"\?/);
  });

  test('keys for which turnwire has others are refused with those', async (t) => {
    await refused(t, '    max_inject_memories: 5\n', /instead of it, .* tells all memories, once a session/);
    await refused(t, '    inject_memories_strategy: local\n', /instead of it, .* tells all memories, once a session/);
    const headers = 'providers: { p: { base_url: https://example.com/v1, headers: { X-Team: a } } }';
    await refused(t, '', /"headers" is .* instead of it, write them under "provider_opts", as "http_headers"/, headers);
  });

  test('keys that would choose a route or a search name what does so here', async (t) => {
    const hook = (point: string) => `    hooks: { ${point}: [{ type: command, command: x }] }\n`;
    await refused(t, hook('before_agent_run'), /instead of it, let the agent choose who goes on, by "handoffs"/);
    await refused(t, hook('after_agent_complete'), /instead of it, name the agent that goes on, by "force_handoff"/);
    const options = 'models: { m: { provider: openai, model: m, provider_opts: { native_tool_search: true } } }';
    await refused(t, '', /"native_tool_search" is .* with "defer" the model finds tools by search_tool/, options);
  });

  test('an empty list that docker-agent takes for no limit is refused, and both readings are named', async (t) => {
    const toolset = (fields: string) => `    toolsets: [{ ${fields}: [] }]\n`;
    const tools =
      /"tools" must be a list with an entry: .* all tools in docker-agent.*leave "tools" out.*the toolset out/;
    await refused(t, toolset('type: shell, tools'), tools);
    await refused(t, toolset('type: mcp, command: x, tools'), tools);
    await refused(t, '', tools, 'mcps: { m: { command: x, tools: [] } }');
    await refused(t, toolset('type: filesystem, allow_list'), /"allow_list" must be .* no limit .*list "\." for/);
    await refused(t, toolset('type: fetch, allowed_domains'), /"allowed_domains" must be .* any host/);
    await root(t, toolset('type: filesystem, deny_list'));
    await root(t, toolset('type: fetch, blocked_domains'));
    await root(t, toolset('type: shell, defer'));
  });

  test('unsupported keys of a toolset are named wherever toolsets stand', async (t) => {
    const named = /"sudo_askpass" is a docker-agent key/;
    await refused(t, '    toolsets: [{ type: shell, sudo_askpass: true }]\n', named);
    await refused(t, '', named, 'toolsets: { sh: { type: shell, sudo_askpass: true } }');
    await refused(t, '', named, 'mcps: { m: { command: x, sudo_askpass: true } }');
  });

  test('oauth of a remote MCP server takes a secret by its variable, and excludes a token', async (t) => {
    const remote = (more: string) =>
      `    toolsets: [{ type: mcp, remote: { url: 'https://mcp.example', oauth: { clientId: c, ${more} } }]\n`;
    const { toolsets } = await root(
      t,
      remote("clientSecret: '${env.S}', callbackRedirectURL: 'https://x.example/cb?port=${callbackPort}' }"),
    );
    const [server] = toolsets;
    assert.deepEqual(server?.type === 'mcp' && server.remote?.oauth, {
      clientId: 'c',
      clientSecret: '${env.S}',
      callbackRedirectURL: 'https://x.example/cb?port=${callbackPort}',
    });
    await refused(t, remote("callbackRedirectURL: 'http://elsewhere.example' }"), /must be an https:\/\/ address/);
    await refused(t, remote('callbackPort: 0 }'), /a port, 1 to 65535/);
    await refused(t, remote('} , headers: { authorization: Bearer x }'), /"oauth" signs in, and "headers" has a token/);
  });

  test('readonly offers the tools that change nothing', async (t) => {
    const { toolsets } = await root(t, '    toolsets: [{ type: filesystem, readonly: true }]\n');
    const { tools } = await openTools(toolsets, { directory: await scratch(t), env: {} });
    assert.deepEqual(
      tools.map(({ name }) => name),
      ['read_file', 'read_multiple_files', 'list_directory', 'directory_tree', 'search_files_content'],
    );
  });

  test('readonly of an agent is that of all its toolsets, and allow_list and deny_list are paths', async (t) => {
    const { toolsets } = await root(
      t,
      '    readonly: true\n    toolsets: [{ type: filesystem, deny_list: [~/x] }, { type: shell }, { type: mcp, command: x }]\n',
    );
    assert.ok(toolsets.every((toolset) => 'readonly' in toolset && toolset.readonly === true));
    const [files] = toolsets;
    assert.deepEqual(files?.type === 'filesystem' ? files.deny_list : [], [join(homedir(), 'x')]);
  });

  test('background_jobs has the tools for commands in the background', async (t) => {
    const { toolsets } = await root(t, '    toolsets: [{ type: background_jobs }]\n');
    const { tools, close } = await openTools(toolsets, { directory: await scratch(t), env: {} });
    t.after(close);
    assert.deepEqual(
      tools.map(({ name, restrictedAs = '' }) => `${name} ${restrictedAs}`.trim()),
      ['run_background_job shell', 'list_background_jobs', 'view_background_job', 'stop_background_job'],
    );
  });

  test('toolsets at the top of the file come after those of the agent', async (t) => {
    const top = 'toolsets:\n  fs: { type: filesystem }\n  page: { type: fetch, allowed_domains: [example.com] }\n';
    const { toolsets } = await root(t, '    use_toolsets: [page, fs]\n    toolsets: [{ type: think }]\n', top);
    assert.deepEqual(
      toolsets.map(({ type }) => type),
      ['think', 'fetch', 'filesystem'],
    );
    await refused(t, '    use_toolsets: [fss]\n', /there is no toolset "fss"/);
  });

  test('a server of the Docker catalog takes config, also from "mcps", and no other server does', async (t) => {
    const run = ['mcp', 'gateway', 'run', '--servers', 'k8s'];
    const at = async (lines: string, top = '') => {
      const [server] = (await root(t, lines, top)).toolsets;
      return server?.type === 'mcp' ? [server.label, server.args, server.config] : [];
    };
    const config = { path: '~/.kube' };
    assert.deepEqual(await at('    toolsets: [{ type: mcp, ref: "docker:k8s", config: { path: ~/.kube } }]\n'), [
      undefined,
      run,
      config,
    ]);
    const top = 'mcps: { cluster: { ref: "docker:k8s", config: { path: ~/.kube } } }';
    assert.deepEqual(await at('    toolsets: [{ type: mcp, ref: cluster }]\n', top), ['cluster', run, config]);
    await refused(
      t,
      '    toolsets: [{ type: mcp, command: x, config: { a: 1 } }]\n',
      /"config" is for a server of the/,
    );
    await refused(t, '', /a server here refers to none of this file/, 'mcps: { a: { ref: b } }');
  });

  test('toon takes several expressions, and instruction_file several files', async (t) => {
    const folder = await scratch(t);
    await writeFile(join(folder, 'a.md'), 'First.\n');
    await writeFile(join(folder, 'b.md'), 'Second.\n');
    await writeFile(
      join(folder, 'agent.yaml'),
      'agents: { root: { model: openai/m, instruction_file: [a.md, b.md] } }',
    );
    assert.equal((await loadConfig(join(folder, 'agent.yaml'))).root.instruction, 'First.\n\nSecond.');
    const { toolsets } = await root(
      t,
      '    toolsets: [{ type: script, toon: "list_.*, get_one", shell: { list_all: &a { cmd: \'printf "{\\"a\\":1}"\' }, get_one: *a, get_two: *a } }]\n',
    );
    const { tools } = await openTools(toolsets, { directory: await scratch(t), env: { PATH: process.env['PATH'] } });
    await refused(t, '    toolsets: [{ type: think, toon: "a, (" }]\n', /regular expressions for names of tools/);
    if (process.platform === 'win32') return;
    const { signal } = new AbortController();
    const said = await Promise.all(tools.map(async (tool) => [tool.name, await tool.run({}, { signal })]));
    assert.deepEqual(Object.fromEntries(said), { list_all: 'a: 1', get_one: 'a: 1', get_two: '{"a":1}' });
  });

  test('any service_tier is sent, and version names the package of an MCP server', async (t) => {
    const { model } = await root(t, '', 'models: { m: { provider: openai, model: x } }');
    assert.equal(model.serviceTier, undefined);
    const file = await agentFile(
      t,
      'models: { m: { provider: openai, model: x, provider_opts: { service_tier: fast, preserve_reasoning: true } } }\nagents: { root: { model: m, toolsets: [{ type: mcp, command: gopls, version: "a/b@v1" }] } }',
    );
    assert.equal((await loadConfig(file)).root.model.serviceTier, 'fast');
  });

  test('a misspelt tool name is reported when the file is read', async (t) => {
    await refused(
      t,
      '    toolsets: [{ type: filesystem, tools: [read_fil] }]\n',
      /:5:\d+: the toolset filesystem has no tool "read_fil"; did you mean read_file\?/,
    );
    await refused(
      t,
      '    toolsets: [{ type: script, shell: { lint: { cmd: x } }, tools: [lnt] }]\n',
      /did you mean lint\?/,
    );
  });

  test('the names of the tools are those of the toolsets', async (t) => {
    const directory = await scratch(t);
    for (const [type, names] of Object.entries(toolNames)) {
      const model = { links: { model: undefined, choices: new Map([['m', undefined as never]]) } };
      const box = await openTools([{ type: type as 'think', ...(type === 'model_picker' ? model : {}) }], {
        directory,
        env: {},
        memoryFile: join(directory, 'm'),
        tasksFile: join(directory, 't'),
        home: directory,
        subAgents: ['other'],
      });
      t.after(box.close);
      assert.deepEqual(
        box.tools.map(({ name }) => name),
        names,
      );
    }
  });

  test('a prompt file is searched upwards, and a missing one is skipped', async (t) => {
    const agent = await root(t, '    instruction: x\n    add_prompt_files: [AGENTS.md, NOWHERE.md]\n');
    const top = await scratch(t);
    const directory = join(top, 'deep', 'er');
    await mkdir(directory, { recursive: true });
    await writeFile(join(top, 'AGENTS.md'), 'from the top');
    assert.equal(
      (await instructionsAround(agent, { ...around, directory })).instructions(agent.instruction),
      'x\n\nFrom AGENTS.md:\n\nfrom the top',
    );
    await writeFile(join(directory, 'AGENTS.md'), 'from here');
    assert.match(
      (await instructionsAround(agent, { ...around, directory })).instructions(agent.instruction),
      /from here$/,
    );
  });
});
