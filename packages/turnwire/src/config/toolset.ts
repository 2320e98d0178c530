import type { Model } from './models/model.js';
import { nearest } from './file/nearest.js';
import { readHosts } from './hosts.js';
import { type Problem, show } from './file/problem.js';
import { isVariableName } from './schema/values.js';
import { namesIn } from './variables/references.js';
import type { McpDefinition, Toolset as Written } from './schema/toolset.js';
import { toolNames } from './tool-names.js';
import type { Path, YamlFile } from './file/yaml-file.js';

/**
 * A toolset of an agent. One of type `mcp` has a `command` or a `remote`: a `ref` to the file has been replaced by its server, and a `ref` to Docker's
 * catalog stays.
 */
export type Toolset = Written & {
  links?: ToolsetLinks | undefined;
  /** The name of the entry of `mcps`, by which messages and rules know the server. Its tools have no name before theirs. */
  label?: string | undefined;
};

/** The models that a toolset names. */
export interface ToolsetLinks {
  /** The model that reads the results of the toolset's tools. */
  model: Model | undefined;
  /** The models that `model_picker` chooses from, by their names in the file. */
  choices: ReadonlyMap<string, Model>;
}

/** The servers of `mcps`: those with the right shape, and the names of all of them. */
export interface McpServers {
  readonly known: ReadonlyMap<string, McpDefinition>;
  readonly names: readonly string[];
}

/** The `toolsets` at the top of a file: those with the right shape, and the names of all of them. */
export interface SharedToolsets {
  readonly known: ReadonlyMap<string, Written>;
  readonly names: readonly string[];
}

/** The toolsets that an agent takes from the top of the file, each with its place. */
export function sharedToolsets(
  file: YamlFile,
  path: Path,
  wanted: readonly string[],
  { known, names }: SharedToolsets,
  problems: Problem[],
): { toolset: Written; at: Path }[] {
  return wanted.flatMap((name, index) => {
    const toolset = known.get(name);
    if (toolset !== undefined) return [{ toolset, at: ['toolsets', name] }];
    const guess = nearest(name, names);
    const advice = guess === undefined ? 'define it under "toolsets" at the top' : `did you mean ${show(guess)}?`;
    if (!names.includes(name))
      problems.push(file.problem(`there is no toolset ${show(name)}; ${advice}`, [...path, index]));
    return [];
  });
}

const hostForms =
  'write a name such as example.com, "*.example.com" for what is below it, an address, or a range such as 10.0.0.0/8';

/** Checks what the schema cannot check in a toolset, and resolves its references. */
export function readToolset(file: YamlFile, path: Path, written: Written, servers: McpServers): Toolset | Problem[] {
  if (written.type === 'mcp') return readMcp(file, path, written, servers);
  const stray = strayTools(written);
  if (stray.length > 0) return stray.map(({ at, message }) => file.problem(message, [...path, ...at]));
  if (written.type === 'fetch' && written.allowed_domains !== undefined && written.blocked_domains !== undefined) {
    return [file.problem('"allowed_domains" and "blocked_domains" exclude each other; keep one', path)];
  }
  if (written.type === 'filesystem') {
    const patterns = (['allow_list', 'deny_list'] as const).flatMap((key) =>
      (written[key] ?? []).flatMap((entry, index) => {
        if (!entry.includes('*')) return [];
        const advice =
          key === 'deny_list' ? `deny them by a rule: permissions: { deny: ["*:path=${entry}"] }` : 'name them';
        const message = `${show(entry)} is a pattern, and this list names folders and files; ${advice}`;
        return [file.problem(message, [...path, key, index])];
      }),
    );
    if (patterns.length > 0) return patterns;
  }
  if (written.type === 'fetch') {
    const lost = (['allowed_domains', 'blocked_domains'] as const).flatMap((key) =>
      (written[key] ?? []).flatMap((entry, index) =>
        readHosts(entry) === undefined
          ? [file.problem(`${show(entry)} is no host; ${hostForms}`, [...path, key, index])]
          : [],
      ),
    );
    if (lost.length > 0) return lost;
  }
  if (written.type === 'fetch' && written.allowed_domains === undefined) {
    const secret = Object.entries(written.headers ?? {}).find(([, value]) => namesIn(value).length > 0);
    if (secret !== undefined)
      return [
        file.problem(
          `"${secret[0]}" holds a secret, and would be sent to any host that the model names; give the toolset "allowed_domains"`,
          [...path, 'headers', secret[0]],
        ),
      ];
  }
  if (written.type === 'open_url' && !URL.canParse(written.url))
    return [file.problem('"url" must be an address, with its beginning, such as https://', [...path, 'url'])];
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

/** The problems of names in `tools` and `defer` that the toolset does not have, or does not offer. */
function strayTools(toolset: Written): { at: Path; message: string }[] {
  const { type, tools, defer } = toolset;
  const known = namesOf(toolset) ?? tools ?? [];
  const strays = (key: string, names: readonly string[]): { at: Path; message: string }[] =>
    names.flatMap((name, index) => {
      if (known.includes(name)) return [];
      const guess = nearest(name, known);
      const advice = guess === undefined ? `it has ${known.join(', ')}` : `did you mean ${guess}?`;
      return [{ at: [key, index], message: `the toolset ${type} has no tool ${show(name)}; ${advice}` }];
    });
  const deferred = Array.isArray(defer) ? defer : [];
  const kept = deferred.flatMap((name, index) =>
    tools === undefined || tools.includes(name) || !known.includes(name)
      ? []
      : [{ at: ['defer', index], message: `"tools" does not offer ${show(name)}; name it there, too` }],
  );
  return [...strays('tools', tools ?? []), ...strays('defer', deferred), ...kept];
}

/** The names of a toolset's tools; undefined where only an MCP server knows them. */
export function namesOf(toolset: Written): readonly string[] | undefined {
  if (toolset.type === 'script') return Object.keys(toolset.shell);
  return toolset.type === 'open_url' ? [toolset.name ?? 'open_url'] : toolNames[toolset.type];
}

type Mcp = Extract<Written, { type: 'mcp' }>;

function readMcp(file: YamlFile, path: Path, written: Mcp, servers: McpServers): Toolset | Problem[] {
  const { ref, ...rest } = written;
  if (ref === undefined) {
    const problem = wrongServer(rest);
    return problem === undefined ? rest : [file.problem(problem, path)];
  }
  const refuse = (message: string): Problem[] => [file.problem(message, [...path, 'ref'])];
  if (ref.startsWith(catalog)) {
    const problem = catalogProblem({ ...rest, ref });
    return problem === undefined ? ofCatalog({ ...rest, ref }) : refuse(problem);
  }
  if (rest.command !== undefined || rest.remote !== undefined) return refuse(wholeServer);
  if (rest.config !== undefined) return refuse(strayConfig);
  const server = servers.known.get(ref);
  // The entry exists, and its problems have been reported.
  if (server === undefined && servers.names.includes(ref)) return [];
  if (server === undefined) {
    const guess = nearest(ref, servers.names);
    return refuse(
      `there is no MCP server ${show(ref)}; ${guess === undefined ? 'define it under "mcps"' : `did you mean ${show(guess)}?`}`,
    );
  }
  // The agent's own settings replace those of the shared server.
  const whole = { ...server, ...rest, ...bothEnvs(server, rest) };
  const problem = wrongServer(whole);
  if (problem !== undefined) return refuse(problem);
  return { ...(server.ref === undefined ? whole : ofCatalog({ ...whole, ref: server.ref })), label: ref };
}

/** The variables of a server of `mcps`, with those that an agent adds or changes. */
function bothEnvs({ env: shared }: McpDefinition, { env: own }: McpDefinition): Pick<McpDefinition, 'env'> {
  return shared === undefined && own === undefined ? {} : { env: { ...shared, ...own } };
}

const wholeServer = '"ref" stands for a whole server; remove it, or "command" and "remote"';

/** The problem in the settings of a server of the Docker MCP catalog, as a sentence. */
function catalogProblem({
  ref,
  command,
  remote,
  args,
  working_dir,
  version,
}: McpDefinition & { ref: string }): string | undefined {
  if (command !== undefined || remote !== undefined) return wholeServer;
  if (!/^[\w.-]+$/.test(catalogName(ref))) return 'write it as docker:NAME, with a name of the Docker MCP catalog';
  if ((args ?? working_dir ?? version) !== undefined)
    return '"args", "working_dir" and "version" do not reach a server of the Docker MCP catalog; it is set up by "config" and "env"';
  return undefined;
}

function ofCatalog(server: Mcp & { ref: string }): Mcp {
  return { ...server, command: 'docker', args: ['mcp', 'gateway', 'run', '--servers', catalogName(server.ref)] };
}

const catalog = 'docker:';
const strayConfig =
  '"config" is for a server of the Docker MCP catalog ("ref: docker:NAME"); give another one "args", "env" or "headers"';

/** The name of a server within the Docker MCP catalog. */
export function catalogName(ref: string): string {
  return ref.slice(catalog.length);
}

/** The name of a server in messages and rules. */
export function serverLabel({ name, label, ref, command, remote }: Mcp & Pick<Toolset, 'label'>): string {
  return (
    name ??
    label ??
    (ref?.startsWith(catalog) === true ? catalogName(ref) : undefined) ??
    command ??
    remote?.url ??
    'mcp'
  );
}

/** The problem in the settings of an MCP server, as a sentence. */
export function wrongServer(server: McpDefinition): string | undefined {
  const { command, remote, args, env, working_dir, version, config, ref } = server;
  if (ref !== undefined) {
    if (!ref.startsWith(catalog)) return 'a server here refers to none of this file; write "ref: docker:NAME"';
    return catalogProblem({ ...server, ref });
  }
  if (config !== undefined) return strayConfig;
  const stray = Object.keys(env ?? {}).find((key) => !isVariableName(key));
  if (stray !== undefined)
    return `"env" has ${show(stray)}, which is no name of a variable; names of another kind are for servers of the Docker MCP catalog`;
  if (command === undefined && remote === undefined)
    return 'an MCP server needs "command" (started here) or "remote" (with its "url")';
  if (command !== undefined && remote !== undefined) return 'an MCP server has "command" or "remote", not both';
  if (
    remote?.oauth !== undefined &&
    Object.keys(remote.headers ?? {}).some((key) => key.toLowerCase() === 'authorization')
  )
    return '"oauth" signs in, and "headers" has a token already; keep one of them';
  if (remote !== undefined && (args ?? env ?? working_dir ?? version) !== undefined)
    return '"args", "env", "working_dir" and "version" are for a "command"; a "remote" has "headers"';
  return undefined;
}
