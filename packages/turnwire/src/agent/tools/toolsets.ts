import type { Toolset } from '../../config/toolset.js';
import { folderTools } from './folders.js';
import { readTools } from './read.js';
import { searchTool } from './search.js';
import { shellTool } from './shell.js';
import type { Tool } from './tool.js';
import { openWorkspace, type Workspace } from './workspace.js';
import { writeTools } from './write.js';

export interface ToolsetOptions {
  /** The folder the tools work in, and do not leave. */
  directory: string;
  /** What commands see of the environment. Leave out keys: the model could print them. */
  env: Readonly<Record<string, string | undefined>>;
}

/** The types that are implemented; unsupported.ts refuses the others before a run begins. */
export const toolsetTools: Partial<Record<Toolset['type'], (workspace: Workspace, options: ToolsetOptions) => Tool[]>> =
  {
    filesystem: (workspace) => [
      ...readTools(workspace),
      ...writeTools(workspace),
      ...folderTools(workspace),
      searchTool(workspace),
    ],
    shell: (workspace, { env }) => [shellTool({ workspace, env })],
  };

/**
 * The tools of an agent, each name once.
 *
 * @throws Error if the directory does not exist.
 */
export function createTools(toolsets: readonly Toolset[], options: ToolsetOptions): Tool[] {
  const workspace = openWorkspace(options.directory);
  const types = new Set(toolsets.map(({ type }) => type));
  return [...types].flatMap((type) => toolsetTools[type]?.(workspace, options) ?? []);
}
