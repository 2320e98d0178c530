import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Script, startEmulator } from '@turnwire/emulator';
import { turnwire } from '../console.js';
import { scratch } from '../scratch.js';

/** Hooks are commands of a POSIX shell here. */
export const skip = process.platform === 'win32' ? 'POSIX shell' : false;

export interface RunOptions {
  /** `hooks` of the agent, in YAML. */
  hooks: string;
  script: Script;
  flags?: readonly string[];
  /** More of the file, at its top. */
  top?: string;
  env?: Readonly<Record<string, string>>;
  /** More of the agent, in YAML. */
  more?: string;
  /** @default shell and filesystem */
  toolsets?: string;
  /** Files of the working directory. */
  files?: Readonly<Record<string, string>>;
}

/** A run of an agent with hooks, and what its server has seen of it. */
export async function ran(
  t: TestContext,
  {
    hooks,
    script,
    flags = ['--yolo'],
    top = '',
    env = {},
    more = '',
    toolsets = 'toolsets: [{ type: shell }, { type: filesystem }]',
    files = {},
  }: RunOptions,
) {
  const emulator = await startEmulator({ script });
  t.after(() => emulator.close());
  const agent = `${top}
models: { m: { provider: mine, model: any, base_url: "${emulator.url}", provider_opts: { transport: sse } } }
agents:
  root:
    model: m
    ${toolsets}
    hooks:
${hooks.replace(/^/gm, '      ')}
${more.replace(/^(?=.)/gm, '    ')}
`;
  const folder = await scratch(t, { ...files, 'agent.yaml': agent });
  const ended = await turnwire(['run', join(folder, 'agent.yaml'), 'Go.', '--json', ...flags], { cwd: folder, env });
  const events = ended.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const inputs = emulator.journal.turns().map(({ request }) => (request as { input: Record<string, unknown>[] }).input);
  const file = (name: string) => readFile(join(folder, name), 'utf8');
  const made = (name: string) => existsSync(join(folder, name));
  return {
    ...ended,
    folder,
    inputs,
    file,
    made,
    of: (type: string) => events.filter((event) => event['type'] === type),
  };
}

/** A turn with one call, and one with the answer. */
export const calls = (name: string, args: Record<string, unknown>): Script => ({
  turns: [{ calls: [{ name, arguments: args }] }, { text: 'Done.' }],
});
export const shell = (cmd: string): Script => calls('shell', { cmd });
/** The arguments of the call in the first of these events. */
export const argumentsIn = ([event = {}]: readonly Record<string, unknown>[]): unknown =>
  (event['tool_call'] as Record<string, unknown> | undefined)?.['arguments'];
/** A hook that answers with this. */
export const answering = (answer: object): string =>
  `{ type: command, command: ${JSON.stringify(`cat > /dev/null; echo '${JSON.stringify(answer)}'`)} }`;
