import type { Tool } from './tool.js';

const key = 'description';

/**
 * A tool whose calls have a description as an argument, which people and hooks see and the tool does not. A tool that already has an argument of that name
 * stays as it is.
 */
export function withDescription(tool: Tool): Tool {
  const { properties } = tool.parameters;
  const known = typeof properties === 'object' && properties !== null ? properties : {};
  if (Object.hasOwn(known, key)) return tool;
  const { beyond, risk, addresses, preview } = tool;
  return {
    ...tool,
    parameters: {
      ...tool.parameters,
      properties: {
        ...known,
        [key]: { type: 'string', description: 'What this call is for, in a few words, for people.' },
      },
    },
    check: (args) => tool.check(without(args)),
    run: (args, context) => tool.run(without(args), context),
    beyond: beyond && ((args) => beyond(without(args))),
    risk: risk && ((args) => risk(without(args))),
    addresses: addresses && ((args) => addresses(without(args))),
    preview: preview && ((args) => preview(without(args))),
  };
}

function without(args: unknown): unknown {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return args;
  const { [key]: _said, ...rest } = args as Record<string, unknown>;
  return rest;
}
