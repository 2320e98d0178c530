import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, orAbort } from '../../base/abort.js';
import { serverLabel } from '../../../config/toolset.js';
import { outputText } from '../output.js';
import { type Tool, type ToolContent, ToolFailure, type ToolOutput } from '../tool.js';
import type { OpenToolset, Surroundings } from '../toolset.js';
import { connect, type Connected } from './connect.js';
import { CatalogFiles } from './docker-catalog.js';
import { McpFailure } from './failure.js';
import { type LifecyclePlan, planOf } from './lifecycle.js';
import type { Mcp } from './settings.js';
import { listTools, type McpTool } from './tools/tool-list.js';
import { functionNames } from './tools/tool-names.js';
import { readResult } from './tools/tool-result.js';

/** The longest call, in milliseconds. Each report of progress gives the server as much time again, up to the second number. */
const callMs = 120_000;
const longestCallMs = 3_600_000;

/**
 * The tools of an MCP server. The connection is opened once for the run; it is opened again where it broke between two calls, or the server has forgotten the
 * session. A call that may have run is never repeated; one that was refused because of the session is sent once more in a new session. A server that cannot
 * be used has no tools, as in docker-agent, and causes a warning.
 *
 * @throws Error that says why the server cannot be used, where no warning is possible, or the reason of `opening`
 */
export async function mcpToolset(settings: Mcp, surroundings: Surroundings): Promise<OpenToolset> {
  const label = serverLabel(settings);
  const plan = planOf(settings.lifecycle);
  const files = new CatalogFiles(settings, surroundings);
  const server = new Server(label, plan, async (signal) => connect(await files.settings(), surroundings, signal));
  const warn = (message: string): void => surroundings.warn?.(`the MCP server ${label}: ${message}`);
  const signal = surroundings.opening ?? new AbortController().signal;
  try {
    const { connection, introduction, hide } = await orAbort(server.connected(), signal, 0);
    const { tools, unusable } = await listTools(connection, introduction, { signal, warn }).catch((error: Error) => {
      signal.throwIfAborted();
      throw new Error(`the MCP server ${label} does not say what tools it has: ${hide(error.message)}`, {
        cause: error,
      });
    });
    const names = functionNames(
      tools.map(({ name }) => (settings.name === undefined ? name : `${settings.name}_${name}`)),
    );
    return {
      tools: tools.map((tool, index) =>
        wrap(tool, names[index] ?? tool.name, server, settings.trust_annotations === true),
      ),
      instructions: introduction.instructions,
      unusable,
      close: async () => {
        await server.close();
        await files.remove();
      },
    };
  } catch (error) {
    await server.close();
    await files.remove();
    signal.throwIfAborted();
    if (surroundings.warn === undefined || plan.required) throw error;
    surroundings.warn(`${(error as Error).message}; the run goes on without its tools`);
    const { tools = [], defer } = settings;
    return { tools: [], unusable: [...tools, ...(Array.isArray(defer) ? defer : [])] };
  }
}

function wrap(tool: McpTool, name: string, server: Server, trusted: boolean): Tool {
  return {
    name,
    alias: `mcp:${server.label}:${tool.name}`,
    description: tool.description,
    parameters: tool.parameters,
    readOnly: tool.saysReadOnly,
    unproven: !trusted,
    revealing: true,
    // The server checks the arguments itself.
    check(args) {
      if (typeof args !== 'object' || args === null || Array.isArray(args))
        throw new Error(`wrong arguments for ${tool.name}: they must be an object`);
    },
    async run(args, { signal }) {
      const { output, failed } = readResult(await server.call(tool, args, signal));
      if (failed) throw failureOf(output);
      return output;
    },
  };
}

/** A server with its connection, which all calls share. */
class Server {
  readonly label: string;
  readonly #connect: (signal: AbortSignal) => Promise<Connected>;
  readonly #plan: LifecyclePlan;
  /** Restarts in a row that have failed. */
  #failed = 0;
  #begun = false;
  readonly #ending = new AbortController();
  #current: Promise<Connected> | undefined;

  constructor(label: string, plan: LifecyclePlan, connectTo: (signal: AbortSignal) => Promise<Connected>) {
    this.label = label;
    this.#plan = plan;
    this.#connect = connectTo;
  }

  /** The connection, or a new one where it cannot be used any more. Calls that come at the same moment share the new one. */
  async connected(): Promise<Connected> {
    if (this.#ending.signal.aborted) throw new Error(`the MCP server ${this.label} was ended with the run`);
    const current = (this.#current ??= this.#connecting());
    const connected = await current;
    if (connected.connection.usable) return connected;
    if (this.#current === current) this.#current = undefined;
    return (this.#current ??= this.#connecting());
  }

  /** The result of a call, unchanged. @throws Error that tells the model whether the call may have had effects */
  async call(tool: McpTool, args: unknown, signal: AbortSignal): Promise<unknown> {
    const { callMs: most } = this.#plan;
    const limits = { signal, idleMs: most ?? callMs, totalMs: most ?? longestCallMs };
    for (let again = false; ; again = true) {
      const { connection, signIn, hide } = await orAbort(this.connected(), signal, 0).catch((error: Error) => {
        signal.throwIfAborted();
        throw new Error(`${error.message}; the call did not run`, { cause: error });
      });
      try {
        return await connection.request('tools/call', { name: tool.name, arguments: args }, limits);
      } catch (error) {
        if (!(error instanceof McpFailure) || error.kind === 'answered') throw error;
        if (error.kind === 'connection_lost') connection.retire();
        if (error.kind === 'connection_lost' && !again) continue;
        let reason = error.message;
        if (signIn?.mends(error) === true && !again) {
          const failure = await signIn.ask(signal).then(() => undefined, messageOf);
          signal.throwIfAborted();
          if (failure === undefined) continue;
          reason = failure;
        }
        const told = `no result from the MCP server ${this.label}: ${hide(reason)}`;
        throw new Error(`${told}${effectsOf(error, tool)}`, { cause: error });
      }
    }
  }

  async close(): Promise<void> {
    this.#ending.abort(new Error(`the MCP server ${this.label} was ended with the run`));
    await this.#current?.then(({ connection }) => connection.close()).catch(() => undefined);
  }

  #connecting(): Promise<Connected> {
    const connecting = this.#started().catch((error: Error) => {
      if (this.#current === connecting) this.#current = undefined;
      this.#ending.signal.throwIfAborted();
      throw new Error(`the MCP server ${this.label} cannot be used: ${error.message}`, { cause: error });
    });
    return connecting;
  }

  /** Starts the server, or restarts it by the rules of its lifecycle. */
  async #started(): Promise<Connected> {
    const { signal } = this.#ending;
    if (!this.#begun) {
      const first = await this.#connect(signal);
      this.#begun = true;
      return first;
    }
    const { restarts, waitMs } = this.#plan;
    if (restarts === 0) throw new Error('it has ended, and its "lifecycle" does not have it started anew');
    if (this.#failed >= restarts) throw new Error(`it could not be started anew ${restarts} times in a row`);
    await delay(waitMs(this.#failed), undefined, { signal });
    try {
      const again = await this.#connect(signal);
      this.#failed = 0;
      return again;
    } catch (error) {
      this.#failed += 1;
      throw error;
    }
  }
}

/** The failure of a tool with its whole output, images included. */
function failureOf(output: ToolOutput): Error {
  if (typeof output === 'string') return new Error(output);
  const [first, ...more] = output;
  const said: ToolContent[] =
    first?.type === 'input_text'
      ? [{ ...first, text: `Error: ${first.text}` }, ...more]
      : [{ type: 'input_text', text: 'Error: the tool failed, and shows this:' }, ...output];
  return new ToolFailure(said, outputText(output));
}

function effectsOf(failure: McpFailure, { saysReadOnly }: McpTool): string {
  if (!failure.mayHaveRun) return '; the call did not run';
  return saysReadOnly ? '' : '; the call may have had effects';
}
