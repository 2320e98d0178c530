import { z } from 'zod';
import { runProgram } from './program.js';
import type { Variables } from '../commands/command.js';
import { defineTool, type Tool } from '../tool.js';
import type { OpenToolset } from '../toolset.js';
import { withPath, type Workspace } from '../files/workspace.js';

/** Options with which git asks nothing, uses no pager, runs no program of the repository, and takes no lock. */
const plain = ['--no-pager', '--no-optional-locks', '-c', 'core.fsmonitor=false', '-c', 'color.ui=false'];
const noPrograms = ['--no-ext-diff', '--no-textconv'];

const revision = z
  .string()
  .min(1)
  .regex(/^[^-\0]/, 'no revision')
  .describe('A commit, branch or tag.');
const path = z.string().min(1).describe('A file or folder, relative to the working directory.');

/** Reads the git repository of the working directory. No tool changes it. */
export function gitToolset({ workspace, env }: { workspace: Workspace; env: Variables }): OpenToolset {
  const git = (args: readonly string[], at: string | undefined, signal: AbortSignal): Promise<string> =>
    withPath(at ?? '.', async () => {
      const place = at === undefined ? [] : ['--', await workspace.resolve(at)];
      return runProgram('git', [...plain, ...args, ...place], {
        cwd: workspace.root,
        env: { ...env, GIT_TERMINAL_PROMPT: '0' },
        signal,
      });
    });
  const tool = <Input extends z.ZodType>(
    name: string,
    description: string,
    input: Input,
    args: (given: z.output<Input>) => { args: readonly string[]; at?: string | undefined },
  ): Tool =>
    defineTool({
      name,
      description,
      readOnly: true,
      revealing: true,
      restrictedAs: 'read_file',
      paths: workspace.paths(['path'], { deep: true }),
      input,
      run(given, { signal }) {
        const { args: asked, at } = args(given);
        return git(asked, at, signal);
      },
    });
  return {
    tools: [
      tool('git_status', 'Returns the branch and what has changed since the last commit.', z.object({}), () => ({
        args: ['status', '--short', '--branch'],
      })),
      tool(
        'git_diff',
        'Returns what has changed: in the working tree, in the index, or between revisions.',
        z.object({
          staged: z.boolean().default(false).describe('What is in the index.'),
          from: revision.optional(),
          to: revision.optional(),
          path: path.optional(),
        }),
        ({ staged, from, to, path: at }) => ({
          args: [
            'diff',
            ...noPrograms,
            ...(staged ? ['--cached'] : []),
            '--end-of-options',
            ...[from, to].filter((each) => each !== undefined),
          ],
          at,
        }),
      ),
      tool(
        'git_log',
        'Returns commits, the newest first, a line each: hash, date, author, subject.',
        z.object({
          count: z.int().min(1).max(1000).default(20).describe('How many.'),
          revision: revision.optional(),
          path: path.optional(),
        }),
        ({ count, revision: from = 'HEAD', path: at }) => ({
          args: ['log', `--max-count=${count}`, '--format=%h %as %an: %s', '--end-of-options', from],
          at,
        }),
      ),
      tool('git_branches', 'Returns the branches, those of remotes included.', z.object({}), () => ({
        args: ['branch', '--all', '--list', '-vv'],
      })),
      tool(
        'git_show',
        'Returns a commit with its changes.',
        z.object({ revision: revision.default('HEAD'), path: path.optional() }),
        ({ revision: wanted, path: at }) => ({ args: ['show', ...noPrograms, '--end-of-options', wanted], at }),
      ),
      tool(
        'git_blame',
        'Returns for each line of a file the commit that it comes from.',
        z.object({ path, revision: revision.optional() }),
        ({ path: at, revision: wanted }) => ({
          args: ['blame', ...(wanted === undefined ? [] : ['--end-of-options', wanted])],
          at,
        }),
      ),
    ],
  };
}
