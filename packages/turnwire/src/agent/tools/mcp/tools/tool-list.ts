import { wellFormed } from '../../../base/well-formed.js';
import type { Connection, Introduction } from '../connection.js';
import { McpFailure } from '../failure.js';
import { type Fields, isFields } from '../message.js';
import { argumentsSchema } from './tool-schema.js';

/** The longest wait for each page, in milliseconds; also for a server that has not announced tools. */
const pageMs = 30_000;
const undeclaredMs = 5000;
const mostPages = 100;
const mostTools = 1000;

/** A tool as its server describes it, as far as that can be read. */
export interface McpTool {
  /** The server's name of the tool. */
  name: string;
  description: string;
  parameters: Fields;
  /** True where the server says that the tool changes nothing. */
  saysReadOnly: boolean;
}

export interface ToolList {
  tools: McpTool[];
  /** Tools that cannot be offered; a warning has given the reason. */
  unusable: string[];
}

/**
 * The tools of a server, from all pages. A faulty tool is left out with a warning. The list ends early where the server begins it anew or never ends it.
 *
 * @throws McpFailure where there is no first page, or the reason of `signal`
 */
export async function listTools(
  connection: Connection,
  { capabilities }: Introduction,
  { signal, warn }: { signal: AbortSignal; warn: (message: string) => void },
): Promise<ToolList> {
  const declared = isFields(capabilities['tools']);
  const list: ToolList = { tools: [], unusable: [] };
  const seen = new Set<unknown>();
  let cursor: unknown;
  do {
    seen.add(cursor);
    let page: unknown;
    try {
      const params = cursor === undefined ? {} : { cursor };
      page = await connection.request('tools/list', params, { signal, idleMs: declared ? pageMs : undeclaredMs });
    } catch (error) {
      if (!(error instanceof McpFailure)) throw error;
      if (cursor === undefined && declared) throw error;
      if (cursor !== undefined) warn(`a page of its list of tools is missing: ${error.message}`);
      return list;
    }
    const { tools, nextCursor } = isFields(page) ? page : {};
    if (!Array.isArray(tools) && tools !== undefined && tools !== null)
      warn(`what it gives as its tools is no list: ${JSON.stringify(tools).slice(0, 200)}`);
    for (const tool of Array.isArray(tools) ? (tools as unknown[]) : []) read(tool, list, warn);
    cursor = nextCursor === null || nextCursor === '' ? undefined : nextCursor;
    if (seen.has(cursor) && cursor !== undefined) {
      warn('its list of tools begins anew and does not end; the pages so far are taken');
      return list;
    }
    if (cursor !== undefined && (seen.size >= mostPages || list.tools.length >= mostTools)) {
      warn(`its list of tools does not end; the first ${seen.size} pages are taken`);
      return list;
    }
  } while (cursor !== undefined);
  return list;
}

function read(value: unknown, { tools, unusable }: ToolList, warn: (message: string) => void): void {
  const { name, description, title, annotations, inputSchema, execution } = isFields(value) ? value : {};
  if (typeof name !== 'string' || name === '') {
    warn(`one of its tools has no name and is left out: ${(JSON.stringify(value) ?? 'nothing').slice(0, 200)}`);
    return;
  }
  // The page came twice.
  if (tools.some((tool) => tool.name === name) || unusable.includes(name)) return;
  const hints = isFields(annotations) ? annotations : {};
  const said = [description, title, hints['title']].find((text) => typeof text === 'string' && text.trim() !== '');
  const leaveOut = (why: string): void => {
    unusable.push(name);
    warn(`its tool ${name} is left out, because ${why}`);
  };
  if (isFields(execution) && execution['taskSupport'] === 'required') {
    leaveOut('it runs only as a task, and tasks are not supported');
    return;
  }
  try {
    tools.push({
      name,
      description: typeof said === 'string' ? said.toWellFormed() : name,
      parameters: wellFormed(argumentsSchema(inputSchema)),
      saysReadOnly: hints['readOnlyHint'] === true,
    });
  } catch (error) {
    leaveOut(`its schema cannot be used: ${(error as Error).message}`);
  }
}
