import { z } from 'zod';
import { nearest } from '../../config/file/nearest.js';
import { defineTool, type Tool } from './tool.js';

/** The most tools that a search lists. */
const mostFound = 50;
const names = { search: 'search_tool', add: 'add_tool' } as const;

export const aboutDeferred = `There are more tools than you see: find them by a word with ${names.search}, and make one yours with ${names.add}.`;

const answer = (name: string): string => `${name} is yours from your next turn on.`;
const answered = /^([\w-]+) is yours from your next turn on\.$/;

/** True where a tool has the name of one of the two tools below. */
export function isDeferringName(name: string): boolean {
  return name === names.search || name === names.add;
}

/** The tools that the model is shown. Deferred ones that it has added come last, in the order in which it added them. */
export function withoutDeferred(all: readonly Tool[], added: Set<string>): readonly Tool[] {
  const deferred = new Map(all.filter((tool) => tool.deferred === true).map((tool) => [tool.name, tool]));
  if (deferred.size === 0) return all;
  const there = [...added].flatMap((name) => deferred.get(name) ?? []);
  const waiting = [...deferred.values()].filter(({ name }) => !added.has(name));
  const open = all.filter((tool) => tool.deferred !== true);
  return [...open, searchTool(waiting), addTool(waiting, [...open, ...there], added), ...there];
}

function searchTool(waiting: readonly Tool[]): Tool {
  return defineTool({
    name: names.search,
    description: `Finds tools that are not shown yet, by words of their name or description. ${names.add} makes one of them yours.`,
    readOnly: true,
    input: z.object({
      query: z.string().describe('A word, in any case; several must all be found. Empty: all tools.'),
    }),
    run({ query }) {
      const words = query.toLowerCase().split(/\s+/);
      const found = waiting.filter(({ name, description }) => {
        const text = `${name}\n${description}`.toLowerCase();
        return words.every((word) => text.includes(word));
      });
      if (found.length === 0) return Promise.resolve(`There is no deferred tool for ${JSON.stringify(query)}.`);
      const told = found.slice(0, mostFound).map(({ name, description }) => `${name}: ${description}`);
      const more = found.length > mostFound ? [`and ${found.length - mostFound} more: ask for another word`] : [];
      return Promise.resolve([...told, ...more].join('\n'));
    },
  });
}

function addTool(waiting: readonly Tool[], there: readonly Tool[], added: Set<string>): Tool {
  return defineTool({
    name: names.add,
    description: `Makes a tool yours that ${names.search} has found: you can call it from your next turn on.`,
    readOnly: true,
    input: z.object({ name: z.string().describe('Its name.') }),
    run({ name }) {
      if (there.some((tool) => tool.name === name)) return Promise.resolve(`${name} is there already.`);
      if (!waiting.some((tool) => tool.name === name)) {
        const guess = nearest(
          name,
          waiting.map((tool) => tool.name),
        );
        throw new Error(
          `there is no deferred tool ${name}; ${guess === undefined ? `look for one with ${names.search}` : `did you mean ${guess}?`}`,
        );
      }
      added.add(name);
      return Promise.resolve(answer(name));
    },
  });
}

/** The tools that a conversation has added, found by the answers to its calls, so that a continued conversation has them. */
export function addedIn(items: readonly { type?: unknown }[]): Set<string> {
  const calls = new Set<unknown>();
  const added = new Set<string>();
  for (const item of items) {
    if (item.type === 'function_call' && 'name' in item && item.name === names.add && 'call_id' in item)
      calls.add(item.call_id);
    if (item.type !== 'function_call_output' || !('call_id' in item) || !calls.has(item.call_id)) continue;
    const [, name] = ('output' in item ? answered.exec(String(item.output)) : null) ?? [];
    if (name !== undefined) added.add(name);
  }
  return added;
}
