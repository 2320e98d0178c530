import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { outcome, runCommand, type Variables } from './command.js';
import { riskOf } from '../../permissions/risky-commands.js';
import { Jobs } from './jobs.js';
import { defineTool, type Tool } from '../tool.js';
import type { OpenToolset } from '../toolset.js';
import { withPath, type Workspace } from '../files/workspace.js';

export interface ShellOptions {
  workspace: Workspace;
  env: Variables;
  /** True: commands that may destroy something need a yes, whatever rule would let them run. @default false */
  safer?: boolean | undefined;
}

const command = z.string().min(1).describe('The command.');
const folder = z.string().default('.').describe('Where to run it, relative to the working directory.');

/**
 * Runs commands with `/bin/sh`, each in a process group of its own that ends with the call, or, in the background, with the run. Only the folder in which a
 * command starts is confined; its effects are for the user to approve.
 */
export function shellToolset({ workspace, env, safer = false }: ShellOptions, recall = false): OpenToolset {
  const jobs = new Jobs();
  const place = async (cwd: string): Promise<string> => {
    const found = await workspace.resolve(cwd);
    if (!(await stat(found)).isDirectory()) throw new Error(`${cwd} is not a directory`);
    return found;
  };
  const risk = (args: unknown): string | undefined => {
    const why = riskOf((args as { cmd: string }).cmd);
    return why === undefined ? undefined : `${why} ("safer" of the file)`;
  };
  const guarded = (tool: Tool): Tool => (safer && tool.command !== undefined ? { ...tool, risk } : tool);
  return {
    tools: [shellTool(env, place, workspace), ...jobTools(jobs, { env, place, workspace, recall })].map(guarded),
    close: () => jobs.close(),
  };
}

/** The timeout of a command, in seconds, where the model gives none. */
const standardTimeout = 30;

function inFolder(cwd: string): string[] {
  return cwd === '.' ? [] : [`in ${cwd}`];
}

/** Runs commands in the background only. With `recall`, the model may ask to be told of their end. */
export function backgroundJobsToolset(options: ShellOptions, recall: boolean): OpenToolset {
  const { tools, close } = shellToolset(options, recall);
  return { tools: tools.filter(({ name }) => name !== 'shell'), ...(close === undefined ? {} : { close }) };
}

interface JobOptions extends ShellOptions {
  place: Place;
  recall: boolean;
}

type Place = (cwd: string) => Promise<string>;

function shellTool(env: Variables, place: Place, workspace: Workspace): Tool {
  return defineTool({
    name: 'shell',
    description:
      'Runs a command with sh and returns what it printed, errors included. Standard input is closed. A last line in brackets tells of an exit code other than 0 or of a timeout; of more than 256 KiB the middle is cut. What it leaves running in the background is ended with it.',
    readOnly: false,
    command: 'cmd',
    paths: workspace.paths(['cwd']),
    revealing: true,
    input: z.object({
      cmd: command,
      cwd: folder,
      timeout: z.number().positive().max(3600).default(standardTimeout).describe('Seconds until it is ended.'),
    }),
    preview: ({ cmd, cwd, timeout }) =>
      Promise.resolve({
        kind: 'command',
        command: cmd,
        notes: [...inFolder(cwd), ...(timeout === standardTimeout ? [] : [`for at most ${timeout} s`])],
      }),
    run: ({ cmd, cwd, timeout }, { signal }) =>
      withPath(cwd, async () => outcome(await runCommand({ cmd, cwd: await place(cwd), env, timeout, signal }))),
  });
}

function jobTools(jobs: Jobs, { env, place, workspace, recall }: JobOptions): Tool[] {
  const id = z.object({ job_id: z.string().describe('As run_background_job gave it.') });
  return [
    defineTool({
      name: 'run_background_job',
      description:
        'Starts a command that goes on running, such as a server, and returns its id at once. It is ended when the conversation ends.',
      readOnly: false,
      command: 'cmd',
      paths: workspace.paths(['cwd']),
      revealing: true,
      restrictedAs: 'shell',
      input: z.object({
        cmd: command,
        cwd: folder,
        ...(recall
          ? { recall: z.boolean().default(false).describe('Be told when it ends: for what ends by itself.') }
          : {}),
      }),
      preview: ({ cmd, cwd }) =>
        Promise.resolve({ kind: 'command', command: cmd, notes: [...inFolder(cwd), 'in the background'] }),
      run: ({ cmd, cwd, recall: told }, { caller }) =>
        withPath(cwd, async () => {
          const id = jobs.start(cmd, await place(cwd), env);
          if (told !== true || caller === undefined) return `Started ${id}.`;
          const emit = caller.expect();
          jobs.whenEnded(id, () => emit(`The command in the background has ended.\n${jobs.view(id)}`));
          return `Started ${id}. You are told when it ends.`;
        }),
    }),
    defineTool({
      name: 'list_background_jobs',
      description: 'Lists the commands in the background, a line each: id, state, seconds, command.',
      readOnly: true,
      input: z.object({}),
      run: () => Promise.resolve(jobs.list()),
    }),
    defineTool({
      name: 'view_background_job',
      description:
        'Returns the state of a command in the background and what it has printed so far; of more than 256 KiB the middle is cut.',
      readOnly: true,
      input: id,
      run: ({ job_id: job }) => Promise.resolve(jobs.view(job)),
    }),
    defineTool({
      name: 'stop_background_job',
      description: 'Ends a command in the background, with all that it has started.',
      readOnly: false,
      input: id,
      run: ({ job_id: job }) => jobs.stop(job),
    }),
  ];
}
