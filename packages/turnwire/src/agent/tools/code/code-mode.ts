import { runInNewContext } from 'node:vm';
import { z } from 'zod';
import { toolNames } from '../../../config/tool-names.js';
import { HeadAndTail } from '../commands/head-and-tail.js';
import { callerIn } from '../session/background-agents.js';
import { defineTool, type Tool } from '../tool.js';
import { runScript, type ScriptResult } from './run-script.js';

const scriptTool = 'run_tools_with_javascript';

/** The largest output of a script, in bytes. */
const mostGiven = 256 * 1024;
/** The most characters of each call that the model is shown of a failed script. */
const shownOfCall = 2000;

const introduction = `Runs a script in JavaScript that calls the functions below, each of which is a tool. One script can make many calls, choose by what they return, and work on that before you see it.
The script is the body of a function: what it returns is the result. Calls return texts and need no await. A call that fails, or is not allowed, throws an Error. console prints for you alone. There are no modules, files, timers or network.`;

/**
 * Makes the tools of an agent functions of one tool. Tools that speak with the user or give work to other agents stay tools, and so do lists of things to do.
 */
export function asFunctions(tools: readonly Tool[]): readonly Tool[] {
  const beside = (tool: Tool): boolean => tool.alone === true || toolNames.todo?.includes(tool.name) === true;
  const functions = named(tools.filter((tool) => !beside(tool)));
  return functions.size === 0 ? tools : [codeTool(functions), ...tools.filter(beside)];
}

/** The tools by the names of their functions, which must be valid in JavaScript. */
function named(tools: readonly Tool[]): ReadonlyMap<string, Tool> {
  const functions = new Map<string, Tool>();
  for (const tool of tools) {
    const plain = tool.name.replace(/[^A-Za-z0-9_$]/g, '_').replace(/^(?=\d)/, '_');
    let name = isReserved(plain) ? `${plain}_` : plain;
    while (functions.has(name)) name += '_';
    functions.set(name, tool);
  }
  return functions;
}

function isReserved(name: string): boolean {
  builtins ??= new Set(runInNewContext('Object.getOwnPropertyNames(globalThis)') as string[]);
  if (name === 'console' || builtins.has(name)) return true;
  return /^(?:await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|false|finally|for|function|if|import|in|instanceof|let|new|null|return|static|super|switch|this|throw|true|try|typeof|var|void|while|with|yield)$/.test(
    name,
  );
}

/** The names of JavaScript's own globals. */
let builtins: ReadonlySet<string> | undefined;

function codeTool(functions: ReadonlyMap<string, Tool>): Tool {
  const called: Tool[] = [];
  const tool = defineTool({
    name: scriptTool,
    description: [introduction, ...[...functions].map(signature)].join('\n\n'),
    // The calls are approved one by one, but no rule can read what a script computes.
    readOnly: false,
    input: z.object({ script: z.string().min(1).describe('The script.') }),
    preview: ({ script }) => Promise.resolve({ kind: 'command', command: script, notes: [] }),
    async run({ script }, context) {
      const { signal, emit } = context;
      const made: object[] = [];
      const call = async (name: string, args: Readonly<Record<string, unknown>>): Promise<string> => {
        const wanted = functions.get(name);
        if (wanted === undefined) throw new Error(`there is no function ${name}`);
        called.push(wanted);
        const { output, done } = await callerIn(context).call(wanted.name, withoutNothing(args), { signal, emit });
        made.push({ name: wanted.name, arguments: args, result: output.slice(0, shownOfCall) });
        if (!done) throw new Error(output);
        return output;
      };
      const result = await runScript(script, [...functions.keys()], { call, signal });
      return JSON.stringify(shown(result, made));
    },
  });
  // Of the results that the next turn reads, the first one with another model decides.
  return Object.defineProperty(tool, 'readBy', {
    get: () => called.find(({ readBy }) => readBy !== undefined)?.readBy,
    enumerable: true,
  });
}

function shown({ value, error, stdout, stderr }: ScriptResult, made: readonly object[]): object {
  const printed = { ...(stdout === '' ? {} : { stdout }), ...(stderr === '' ? {} : { stderr }) };
  if (error !== undefined) return { error, ...printed, tool_calls: made };
  const given = new HeadAndTail(mostGiven);
  given.add(Buffer.from(value ?? ''));
  return { value: given.toString(), ...printed };
}

/** The arguments without nulls, which models write for arguments that they leave out. */
function withoutNothing(args: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return args;
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null));
}

/** The signature of a function with its description, for the model. */
function signature([name, { description, parameters }]: readonly [string, Tool]): string {
  return `/** ${description.replaceAll('*/', '* /')}\n * args: ${JSON.stringify(parameters)} */\nfunction ${name}(args): string`;
}
