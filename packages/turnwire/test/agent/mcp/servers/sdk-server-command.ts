// The MCP server of the tests as a command, over its standard input and output.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { mcpServer } from './sdk-server.js';

// A child of its own, which has to end with it.
if (process.env['CHILD_PID_FILE'] !== undefined) {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  writeFileSync(process.env['CHILD_PID_FILE'], String(child.pid));
}
process.stdout.write('a greeting that is no message\n');
await mcpServer().connect(new StdioServerTransport());
