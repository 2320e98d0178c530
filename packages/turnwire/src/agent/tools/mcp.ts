import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { ErrorCode, McpError, type Tool as McpTool } from '@modelcontextprotocol/sdk/types.js';
import type { Toolset } from '../../config/toolset.js';
import { HeadAndTail } from './head-and-tail.js';
import { connectMcp } from './mcp-connection.js';
import type { Tool } from './tool.js';
import type { OpenToolset, Surroundings } from './toolset.js';

export type Mcp = Extract<Toolset, { type: 'mcp' }>;

/** What one call may bring into the conversation, in bytes. */
const resultLimit = 256 * 1024;
/** For one call, in milliseconds; a server that tells of progress gets as much again each time, up to the second. */
const callTime = 120_000;
const longestCall = 3_600_000;
/** For each page of the list of tools, in milliseconds. */
const listTime = 30_000;
const mostTools = 1000;

/**
 * The tools of an MCP server, which is connected to once for the run, and asked again where its connection has broken between two calls. A call
 * is never repeated: the server may have done it.
 *
 * @throws Error that names the server, if it cannot be reached or does not speak MCP.
 */
export async function mcpToolset(settings: Mcp, surroundings: Surroundings): Promise<OpenToolset> {
  const label = settings.name ?? settings.command ?? settings.remote?.url ?? 'mcp';
  let closed = false;
  let current: Promise<Client> | undefined;
  // Calls that find it broken at the same moment share the new connection.
  const living = (): Promise<Client> => {
    if (closed) return Promise.reject(new Error(`the MCP server ${label} was ended with the run`));
    if (current !== undefined) return current;
    const connecting = connectMcp(settings, surroundings, label).then((client) => {
      // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's own, and no DOM
      client.onclose = () => {
        if (current === connecting) current = undefined;
      };
      return client;
    });
    current = connecting;
    connecting.catch(() => {
      if (current === connecting) current = undefined;
    });
    return connecting;
  };
  const close = async (): Promise<void> => {
    const last = current;
    closed = true;
    await last?.then((client) => client.close()).catch(() => undefined);
  };
  const client = await living();
  try {
    const found = await listTools(client);
    const tools = found.map((tool) => wrap(tool, settings.name, label, living));
    return { tools, instructions: client.getInstructions(), close };
  } catch (error) {
    await close();
    throw new Error(`the MCP server ${label} does not say what tools it has: ${messageOf(error)}`, { cause: error });
  }
}

async function listTools(client: Client): Promise<McpTool[]> {
  if (client.getServerCapabilities()?.tools === undefined) return [];
  const tools: McpTool[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.listTools(cursor === undefined ? {} : { cursor }, { timeout: listTime });
    tools.push(...page.tools);
    cursor = page.nextCursor;
  } while (cursor !== undefined && tools.length < mostTools);
  return tools;
}

function wrap(tool: McpTool, prefix: string | undefined, label: string, living: () => Promise<Client>): Tool {
  return {
    name: functionName(prefix === undefined ? tool.name : `${prefix}_${tool.name}`),
    alias: `mcp:${prefix ?? label}:${tool.name}`,
    description: tool.description ?? tool.annotations?.title ?? tool.name,
    parameters: tool.inputSchema,
    // The server's word, as docker-agent takes it; "permissions" can ask for a yes all the same.
    readOnly: tool.annotations?.readOnlyHint === true,
    // What is wrong with them the server says.
    check(args) {
      if (typeof args !== 'object' || args === null || Array.isArray(args))
        throw new Error(`wrong arguments for ${tool.name}: they must be an object`);
    },
    async run(args, { signal }) {
      const client = await living();
      const params = { name: tool.name, arguments: args as Record<string, unknown> };
      const limits = { timeout: callTime, resetTimeoutOnProgress: true, maxTotalTimeout: longestCall };
      const asked = client.callTool(params, undefined, { ...limits, signal, onprogress: () => undefined });
      const result = await asked.catch((error: unknown) => {
        if (tool.annotations?.readOnlyHint === true || isAnswer(error)) throw error;
        throw new Error(`${messageOf(error)}; the call may have had effects`, { cause: error });
      });
      const text = cut(textOf(result));
      if (result.isError === true) throw new Error(text === '' ? 'the tool failed without a word' : text);
      return text === '' ? '(no output)' : text;
    },
  };
}

/** Errors that the SDK gives itself where no answer came, with numbers like those of servers. */
const unanswered: ReadonlySet<number> = new Set<number>([ErrorCode.ConnectionClosed, ErrorCode.RequestTimeout]);

function isAnswer(error: unknown): boolean {
  return error instanceof McpError && !unanswered.has(error.code);
}

/** What the API takes as the name of a function: 64 letters, digits, - and _. */
function functionName(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64);
}

function textOf(result: Record<string, unknown>): string {
  const content = Array.isArray(result['content']) ? (result['content'] as Record<string, unknown>[]) : [];
  const parts = content.map((part) => {
    if (part['type'] === 'text') return String(part['text']);
    const resource = part['resource'];
    if (typeof resource === 'object' && resource !== null && 'text' in resource) return String(resource.text);
    if (part['type'] === 'resource_link') return `${String(part['name'])}: ${String(part['uri'])}`;
    return `[${String(part['type'])} of type ${typeof part['mimeType'] === 'string' ? part['mimeType'] : 'unknown'} is not shown]`;
  });
  if (parts.length === 0 && result['structuredContent'] !== undefined)
    return JSON.stringify(result['structuredContent']);
  return parts.join('\n');
}

function cut(text: string): string {
  const kept = new HeadAndTail(resultLimit);
  kept.add(Buffer.from(text));
  return kept.toString();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
