import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ToolsetOptions } from '../../dist/agent/tools/toolset.js';
import { openTools, type Toolbox } from '../../dist/agent/tools/toolsets.js';
import { scratch } from './scratch.js';

export type Toolsets = Parameters<typeof openTools>[0];

export interface Tools {
  directory: string;
  box: Toolbox;
  call: (name: string, args?: unknown, signal?: AbortSignal) => Promise<string>;
}

/** Toolsets in a folder of their own, closed when the test ends. */
export async function toolsOf(
  t: TestContext,
  toolsets: Toolsets,
  options: Partial<ToolsetOptions> = {},
): Promise<Tools> {
  const directory = options.directory ?? (await scratch(t));
  const box = await openTools(toolsets, { env: { PATH: process.env['PATH'] }, ...options, directory });
  t.after(() => box.close());
  return {
    directory,
    box,
    async call(name, args = {}, signal = new AbortController().signal) {
      const tool = box.tools.find((candidate) => candidate.name === name);
      assert.ok(tool !== undefined, `there is no ${name}`);
      tool.check(args);
      return tool.run(args, { signal });
    },
  };
}
