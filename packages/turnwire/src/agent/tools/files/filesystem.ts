import { posix } from 'node:path';
import type { Toolset } from '../../../config/toolset.js';
import { matchesPath } from '../../base/glob.js';
import { report, runCommand } from '../commands/command.js';
import { folderTools } from './folders.js';
import { withNote } from '../output.js';
import { KnownFiles } from './known-files.js';
import { readTools } from './read.js';
import { searchTool } from './search.js';
import type { Tool } from '../tool.js';
import type { OpenToolset, Surroundings } from '../toolset.js';
import { openWorkspace } from './workspace.js';
import { writeTools } from './write.js';

type Filesystem = Extract<Toolset, { type: 'filesystem' }>;

/** The longest run of a command after an edit, in seconds: enough for a formatter, but not for a build. */
const afterEditTime = 60;

/** Reads, searches, writes and edits files below the working directory. */
export function filesystemToolset(
  { ignore_vcs: ignoreVcs = true, post_edit: afterEdit = [], allow_list: allow, deny_list: deny }: Filesystem,
  { directory, env }: Surroundings,
): OpenToolset {
  const workspace = openWorkspace(directory, { allow, deny });
  const known = new KnownFiles();
  const after = async (path: string, signal: AbortSignal): Promise<string> => {
    const place = await workspace.resolve(path);
    const name = workspace.name(place);
    const said: string[] = [];
    for (const { path: glob, cmd } of afterEdit) {
      if (!matchesPath(glob.includes('/') ? name : posix.basename(name), glob)) continue;
      const ended = await runCommand({
        cmd,
        cwd: workspace.root,
        env: { ...env, path: name, file: name },
        timeout: afterEditTime,
        signal,
      });
      // A success is not reported; the message of a failure may be about the edit.
      if (ended.status !== 0) said.push(`\nAfter the edit, ${cmd} failed:\n${report(ended)}`);
    }
    if (said.length === 0 && (await known.hasChanged(place)))
      said.push('\nA command that follows edits has changed the file: read it before you write it again.');
    return said.join('');
  };
  return {
    tools: [
      ...readTools(workspace, known),
      ...writeTools(workspace, known).map((tool) => (afterEdit.length === 0 ? tool : followed(tool, after))),
      ...folderTools(workspace, ignoreVcs),
      searchTool(workspace, ignoreVcs),
    ],
  };
}

function followed(tool: Tool, after: (path: string, signal: AbortSignal) => Promise<string>): Tool {
  return {
    ...tool,
    async run(args, context) {
      const result = await tool.run(args, context);
      const path = typeof args === 'object' && args !== null && 'path' in args ? String(args.path) : '';
      return withNote(result, await after(path, context.signal));
    },
  };
}
