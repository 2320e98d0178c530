import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { openSkills } from '../../../dist/agent/skills/skills-toolset.js';
import { outputText } from '../../../dist/agent/tools/output.js';
import { scratch } from '../scratch.js';

/** A place that offers these files. */
async function offering(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const server = createServer((request, response) => {
    const text = files[(request.url ?? '').replace('/.well-known/skills/', '')];
    response.writeHead(text === undefined ? 404 : 200).end(text);
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function opened(t: TestContext, addresses: readonly string[], names?: readonly string[]) {
  const told: string[] = [];
  const directory = await scratch(t);
  const skills = await openSkills(
    { found: false, names, inline: [], addresses },
    { directory, home: undefined, warn: (message) => void told.push(message) },
  );
  const call = async (name: string, args: unknown): Promise<string> => {
    const tool = skills.tools.find((each) => each.name === name);
    assert.ok(tool !== undefined, name);
    return outputText(await tool.run(args, { signal: new AbortController().signal }));
  };
  return { skills, told, call };
}

describe('skills from an address', () => {
  const files = {
    'index.json': JSON.stringify({
      skills: [
        { name: 'commit', description: 'Writes commits.', files: ['SKILL.md', 'more/style.md', '../secret', 'a?b'] },
        { name: 'gone', description: 'Is not there.', files: [] },
        { name: '../up', description: 'x', files: [] },
      ],
    }),
    'commit/SKILL.md': '---\nname: commit\ndescription: Writes commits.\n---\nBe short.\n',
    'commit/more/style.md': 'Imperative.',
  };

  test('are offered with their files, and a missing one is left out alone', async (t) => {
    const { skills, told, call } = await opened(t, [`${await offering(t, files)}/`]);
    assert.deepEqual(
      skills.offered.map(({ name }) => name),
      ['commit'],
    );
    assert.equal(await call('read_skill', { name: 'commit' }), 'Be short.');
    assert.equal(await call('read_skill_file', { skill_name: 'commit', path: 'more/style.md' }), 'Imperative.');
    await assert.rejects(call('read_skill_file', { skill_name: 'commit', path: '../secret' }), /there is no/);
    assert.match(told.join('\n'), /the skill gone of .* cannot be used: .*\(status 404\)/);
    assert.equal(told.length, 1);
  });

  test('are left out with a warning where there is no list', async (t) => {
    const { skills, told } = await opened(t, [await offering(t, { 'index.json': '[]' })]);
    assert.deepEqual(skills.offered, []);
    assert.match(told.join('\n'), /there are no skills at .*: .*index\.json is no list of skills/);
  });
});
