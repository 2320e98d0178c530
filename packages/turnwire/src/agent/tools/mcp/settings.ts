import type { Toolset } from '../../../config/toolset.js';

/** The settings of an MCP server in an agent file. */
export type Mcp = Extract<Toolset, { type: 'mcp' }>;
