import { nearest } from './nearest.js';
import { type Problem, show } from './problem.js';
import type { McpDefinition, Toolset as Written } from './schema/toolset.js';
import type { Path, YamlFile } from './yaml-file.js';

/** A toolset of an agent. One of type `mcp` has either a `command` or a `remote`: a `ref` has been looked up. */
export type Toolset = Written;

/** The servers of `mcps` that have the right shape, and the names of all of them. */
export interface McpServers {
  readonly known: ReadonlyMap<string, McpDefinition>;
  readonly names: readonly string[];
}

/** Checks what the schema cannot say about a toolset, and puts in what it refers to. */
export function readToolset(file: YamlFile, path: Path, written: Written, servers: McpServers): Toolset | Problem[] {
  if (written.type === 'mcp') return readMcp(file, path, written, servers);
  if (written.type === 'fetch' && written.allowed_domains !== undefined && written.blocked_domains !== undefined) {
    return [file.problem('"allowed_domains" and "blocked_domains" exclude each other; keep one', path)];
  }
  if (written.type === 'script') {
    const problems = Object.entries(written.shell).flatMap(([name, { args = {}, required = [] }]) =>
      required
        .filter((argument) => !Object.hasOwn(args, argument))
        .map((argument) =>
          file.problem(`"required" names ${show(argument)}, which is not in "args"`, [
            ...path,
            'shell',
            name,
            'required',
          ]),
        ),
    );
    if (problems.length > 0) return problems;
  }
  return written;
}

type Mcp = Extract<Written, { type: 'mcp' }>;

function readMcp(file: YamlFile, path: Path, written: Mcp, servers: McpServers): Toolset | Problem[] {
  const { ref, ...rest } = written;
  if (ref === undefined) {
    const problem = wrongServer(rest);
    return problem === undefined ? rest : [file.problem(problem, path)];
  }
  const refuse = (message: string): Problem[] => [file.problem(message, [...path, 'ref'])];
  if (rest.command !== undefined || rest.remote !== undefined)
    return refuse('"ref" stands for a whole server; remove it, or "command" and "remote"');
  if (ref.startsWith('docker:'))
    return refuse(
      'servers of the Docker MCP catalog are docker-agent\'s, and not supported yet; give "command" or "remote"',
    );
  const server = servers.known.get(ref);
  // What is wrong with it has been said.
  if (server === undefined && servers.names.includes(ref)) return [];
  if (server === undefined) {
    const guess = nearest(ref, servers.names);
    return refuse(
      `there is no MCP server ${show(ref)}; ${guess === undefined ? 'define it under "mcps"' : `did you mean ${show(guess)}?`}`,
    );
  }
  // What the agent says itself goes before what is said for all.
  return { ...server, name: server.name ?? ref, ...rest };
}

/** What is wrong with how an MCP server is given, as a sentence. */
export function wrongServer({ command, remote, args, env, working_dir }: McpDefinition): string | undefined {
  if (command === undefined && remote === undefined)
    return 'an MCP server needs "command" (started here) or "remote" (with its "url")';
  if (command !== undefined && remote !== undefined) return 'an MCP server has "command" or "remote", not both';
  if (remote !== undefined && (args ?? env ?? working_dir) !== undefined)
    return '"args", "env" and "working_dir" are for a "command"; a "remote" has "headers"';
  return undefined;
}
