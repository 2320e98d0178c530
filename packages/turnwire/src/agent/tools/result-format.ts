import type { Toolset } from '../../config/toolset.js';
import type { Tool } from './tool.js';

/** A tool with the file's settings for its results: the model that reads them, and their format. */
export function withResultFormat(tool: Tool, { links, toon }: Pick<Toolset, 'links' | 'toon'>): Tool {
  const readBy = links?.model;
  const isToon = toon !== undefined && toon.split(',').some((each) => new RegExp(each.trim()).test(tool.name));
  if (readBy === undefined && !isToon) return tool;
  return {
    ...tool,
    ...(readBy === undefined ? {} : { readBy }),
    ...(isToon
      ? {
          run: async (args, context) => {
            const output = await tool.run(args, context);
            return typeof output === 'string' ? asToon(output) : output;
          },
        }
      : {}),
  };
}

/** JSON as TOON, which needs fewer tokens. A text that is no JSON stays as it is. */
async function asToon(text: string): Promise<string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  if (typeof value !== 'object' || value === null) return text;
  const { encode } = await import('@toon-format/toon');
  return encode(value);
}
