import type { Toolset } from '../../../config/toolset.js';

/** An MCP server as the file gives it. */
export type Mcp = Extract<Toolset, { type: 'mcp' }>;
