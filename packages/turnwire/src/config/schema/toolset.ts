import { z } from 'zod';
import { lifecycleSchema } from './lifecycle.js';
import { oauthSchema } from './oauth.js';
import { environment, flag, headers, name, only, serverEnvironment, text, texts, whole } from './values.js';

const pattern = 'regular expressions for names of tools, with commas between them';

/** Keys that every toolset has. */
const common = {
  tools: only(
    'an empty one stands for all tools in docker-agent, and reads as none; leave "tools" out for all of them, or the toolset out for none',
  )
    .optional()
    .describe('The tools to offer, by name. Default: all of the toolset.'),
  instruction: text
    .optional()
    .describe('Instructions about these tools; {ORIGINAL_INSTRUCTIONS} stands for those of the toolset itself.'),
  defer: z
    .union([flag, texts], 'true, false or a list of tools')
    .optional()
    .describe(
      'The tools that the model finds by search_tool and adds by add_tool: true for all of them, or their names. Default: false.',
    ),
  model: name.optional().describe('The model that reads what these tools return. Default: the one that called them.'),
  toon: text
    .refine(isPattern, pattern)
    .optional()
    .describe(
      'The tools whose JSON the model is given as TOON: regular expressions for their names, with commas between them. Default: none.',
    ),
};

/** Keys of turnwire's own toolsets, of whose tools it is known what they change. */
const own = {
  ...common,
  readonly: flag.optional().describe('Offer only the tools that change nothing. Default: false.'),
};

const safer = flag
  .optional()
  .describe(
    'Ask for each command that may destroy something, with --yolo and rules that allow it, too. Default: false.',
  );

const remote = z.strictObject(
  {
    url: z
      .url({ protocol: /^https?$/, error: 'an http:// or https:// address' })
      .describe('The address of the server.'),
    transport_type: z
      .enum(['streamable', 'sse'], 'streamable or sse')
      .optional()
      .describe('streamable (HTTP) or sse. Default: streamable, then sse.'),
    headers: headers.optional().describe('Header fields for the server. Values may name secrets: ${env.NAME}.'),
    oauth: oauthSchema
      .optional()
      .describe(
        'The client for a sign-in by OAuth. Default: a client registers itself where the server wants a sign-in.',
      ),
  },
  'a mapping with "url"',
);

/** The connection to an MCP server: in a toolset of type mcp, or for several agents under `mcps`. */
const server = {
  command: name.optional().describe('The program of a server that uses its standard input and output.'),
  args: z.array(text, 'a list of texts').optional().describe('The arguments of the command.'),
  env: serverEnvironment
    .optional()
    .describe(
      'Variables for the command, or secrets for a server of the Docker MCP catalog. Values may name secrets: ${env.NAME}.',
    ),
  working_dir: name
    .optional()
    .describe('The folder that the command runs in. Default: the working directory of the run.'),
  version: z
    .union([name, z.literal(false)], 'a package, or false')
    .transform((value) => (value === false ? undefined : value))
    .optional()
    .describe('The package of the command: named where the command is missing. Nothing is installed.'),
  remote: remote.optional().describe('The connection to a remote server.'),
  name: name.optional().describe('The name of the server, put before the names of its tools. Default: none.'),
  readonly: flag.optional().describe('Offer only the tools that the server calls read-only. Default: false.'),
  lifecycle: lifecycleSchema
    .optional()
    .describe(
      'The rules for starting and restarting the server. Default: restarted for each call that finds it ended.',
    ),
  trust_annotations: flag
    .optional()
    .describe('Whether a tool that the server calls read-only runs without a question. Default: false.'),
  config: z
    .record(z.string(), z.unknown(), 'a mapping')
    .optional()
    .describe('Settings of a server of the Docker MCP catalog ("ref: docker:NAME"). Default: those of Docker.'),
  allow_private_ips: flag
    .optional()
    .describe('A note for readers: a server may be anywhere, also in a private network.'),
};

const script = z.strictObject(
  {
    cmd: name.describe('The command, run by the shell; its arguments are variables of the same names.'),
    description: text.optional().describe('The description for the model.'),
    args: z
      .record(
        z.string(),
        z.record(z.string(), z.unknown(), 'a JSON Schema'),
        'a mapping from arguments to JSON Schemas',
      )
      .optional()
      .describe('The arguments, each with a JSON Schema.'),
    required: texts.optional().describe('The required arguments. Default: all.'),
    env: environment.optional().describe('Variables for the command. Values may name secrets: ${env.NAME}.'),
    working_dir: name
      .optional()
      .describe('The folder that the command runs in. Default: the working directory of the run.'),
  },
  'a mapping with "cmd"',
);

const toolsets = [
  z.strictObject({
    type: z.literal('filesystem').describe('Reads, searches, writes and edits files.'),
    ...own,
    ignore_vcs: flag.optional().describe('Leave out what git ignores, and .git itself. Default: true.'),
    allow_list: only(
      'an empty one stands for no limit in docker-agent, and reads as no folder; list "." for the working directory alone, or leave "allow_list" out',
    )
      .optional()
      .describe(
        'The only folders that the tools reach. Default: the working directory, and for reading those that the user grants.',
      ),
    deny_list: texts
      .optional()
      .describe('Folders that the tools do not reach, also within allowed ones. Default: none.'),
    post_edit: z
      .array(
        z.strictObject(
          { path: name.describe('A glob for the files.'), cmd: name.describe('The command to run after an edit.') },
          'a mapping with "path" and "cmd"',
        ),
        'a list of mappings with "path" and "cmd"',
      )
      .optional()
      .describe('Commands after an edit, such as formatters.'),
  }),
  z.strictObject({
    type: z.literal('shell').describe('Runs commands, also in the background.'),
    ...own,
    safer,
    env: environment.optional().describe('Variables for its commands. Values may name secrets: ${env.NAME}.'),
  }),
  z.strictObject({
    type: z.literal('background_jobs').describe('Runs commands in the background alone.'),
    ...own,
    safer,
    recall: flag
      .optional()
      .describe(
        'The model may ask to be told when a command ends: the run then waits for it and goes on. Default: false.',
      ),
    env: environment.optional().describe('Variables for its commands. Values may name secrets: ${env.NAME}.'),
  }),
  z.strictObject({
    type: z.literal('fetch').describe('Fetches pages.'),
    ...own,
    timeout: whole(1, 'of seconds').optional().describe('In seconds. Default: 30.'),
    headers: headers
      .optional()
      .describe(
        'Header fields of each request; after a redirect to another origin none is sent. Values may name secrets: ${env.NAME}.',
      ),
    allowed_domains: only(
      'an empty one stands for any host in docker-agent, and reads as none; leave "allowed_domains" out for any, or the toolset out for none',
    )
      .optional()
      .describe('The only hosts to fetch from. Default: any.'),
    blocked_domains: texts.optional().describe('Hosts not to fetch from. Default: none.'),
    allow_private_ips: flag
      .optional()
      .describe('Also fetch from this machine and its private networks. Default: false.'),
  }),
  z.strictObject({ type: z.literal('think').describe('A place for thoughts.'), ...own }),
  z.strictObject({
    type: z.literal('todo').describe('A list of things to do.'),
    ...own,
    shared: flag.optional().describe('One list for all agents of the file. Default: false.'),
  }),
  z.strictObject({
    type: z.literal('memory').describe('Remembers from session to session.'),
    ...own,
    path: name.optional().describe('The file of the memories. Default: one beside the sessions.'),
  }),
  z.strictObject({
    type: z.literal('script').describe('Commands of yours as tools.'),
    ...own,
    shell: z
      .record(
        z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/),
        script,
        'a mapping from names of tools (letters, digits, _ and -) to mappings with "cmd"',
      )
      .describe('The tools, by name.'),
    env: environment.optional().describe('Variables for all of them. Values may name secrets: ${env.NAME}.'),
  }),
  z.strictObject({ type: z.literal('user_prompt').describe('Asks the user.'), ...own }),
  z.strictObject({ type: z.literal('datetime').describe('Returns the date and the time.'), ...own }),
  z.strictObject({ type: z.literal('calculator').describe('Calculates.'), ...own }),
  z.strictObject({ type: z.literal('random').describe('Random numbers, choices and ids.'), ...own }),
  z.strictObject({ type: z.literal('git').describe('Reads the git repository.'), ...own }),
  z.strictObject({
    type: z.literal('tasks').describe('Things to do that depend on one another, kept from session to session.'),
    ...own,
    path: name.optional().describe('The JSON file of the tasks. Default: one beside the sessions.'),
  }),
  z.strictObject({
    type: z.literal('open_url').describe('Opens one address in the browser of the user.'),
    ...own,
    url: name.describe('The address.'),
    name: z
      .string('a name of letters, digits, _ and -')
      .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/, 'a name of letters, digits, _ and -')
      .optional()
      .describe('The name of the tool. Default: open_url.'),
  }),
  z.strictObject({
    type: z.literal('model_picker').describe('Lets the model change to another one, and back.'),
    ...own,
    models: z
      .array(name, 'a list of models')
      .min(1, 'a list of at least one model')
      .describe('The models to choose from.'),
  }),
  z.strictObject({
    type: z.literal('background_agents').describe('Gives tasks to "sub_agents" that work at the same time.'),
    ...own,
  }),
  z.strictObject({
    type: z.literal('session_plan').describe('A plan of the session, written by one agent and read by others.'),
    ...own,
  }),
  z.strictObject({ type: z.literal('session_context').describe('Reads earlier sessions.'), ...own }),
  z.strictObject({
    type: z.literal('mcp').describe('The tools of an MCP server: one of command, remote and ref.'),
    ...common,
    ...server,
    ref: name
      .optional()
      .describe('A server under "mcps", by its name; or docker:NAME, one of the Docker MCP catalog, run by Docker.'),
  }),
] as const;

export const toolsetTypes: readonly string[] = toolsets.map(({ shape }) => shape.type.value);

/** A toolset of an agent. */
export const toolsetSchema = z.discriminatedUnion('type', toolsets, `one of ${toolsetTypes.join(', ')}`);

/** An entry of `mcps`. */
export const mcpSchema = z.strictObject(
  {
    ...common,
    ...server,
    ref: name.optional().describe('docker:NAME: a server of the Docker MCP catalog, run by Docker.'),
  },
  'a mapping with "command", "remote" or "ref"',
);

export type Toolset = z.output<typeof toolsetSchema>;
export type McpDefinition = z.output<typeof mcpSchema>;

function isPattern(value: string): boolean {
  try {
    return value.split(',').every((each) => new RegExp(each.trim()).source !== '' && each.trim() !== '');
  } catch {
    return false;
  }
}
