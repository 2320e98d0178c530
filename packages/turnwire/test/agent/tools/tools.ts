import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { outputText } from '../../../dist/agent/tools/output.js';
import type { ToolOutput } from '../../../dist/agent/tools/tool.js';
import type { ToolsetOptions } from '../../../dist/agent/tools/toolset.js';
import { openTools, type Toolbox } from '../../../dist/agent/tools/toolsets.js';
import { scratch } from '../scratch.js';

export type Toolsets = Parameters<typeof openTools>[0];

export interface Tools {
  directory: string;
  box: Toolbox;
  /** The output of a call as a text. */
  call: (name: string, args?: unknown, signal?: AbortSignal) => Promise<string>;
  /** The same, as the model gets it. */
  output: (name: string, args?: unknown, signal?: AbortSignal) => Promise<ToolOutput>;
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
  const output: Tools['output'] = async (name, args = {}, signal = new AbortController().signal) => {
    const tool = box.tools.find((candidate) => candidate.name === name);
    assert.ok(tool !== undefined, `there is no ${name}`);
    tool.check(args);
    return tool.run(args, { signal });
  };
  return { directory, box, output, call: async (...given) => outputText(await output(...given)) };
}
