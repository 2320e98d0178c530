import { show } from './file/problem.js';
import { namesOf, type Toolset } from './toolset.js';

/** Values of `tool_choice` that name no tool. */
const kinds: ReadonlySet<string> = new Set(['auto', 'none', 'required']);

export interface ChosenFrom {
  toolsets: readonly Toolset[];
  codeMode: boolean;
  /** True where tools come from elsewhere, too: from sub-agents, handoffs and skills. */
  hasMore: boolean;
}

/** The problem of a `tool_choice`: a tool that the model is not offered at the beginning. The provider would refuse each turn. */
export function toolChoiceProblem(choice: string, { toolsets, codeMode, hasMore }: ChosenFrom): string | undefined {
  if (kinds.has(choice)) return undefined;
  if (codeMode)
    return `with "code_mode_tools" there is no tool ${show(choice)} to choose, but a function of that name; choose auto, none or required`;
  const defers = toolsets.some((toolset) => {
    const { defer, tools = namesOf(toolset) } = toolset;
    return defer === true ? tools?.includes(choice) : Array.isArray(defer) && defer.includes(choice);
  });
  if (defers) return `"defer" keeps ${show(choice)} back until the model has added it; name it in no "defer"`;
  const names = toolsets.map((toolset) => toolset.tools ?? namesOf(toolset));
  if (hasMore || names.includes(undefined) || names.flat().includes(choice)) return undefined;
  return `the agent has no tool ${show(choice)}; give it a toolset that has the tool, or choose auto, none or required`;
}
