import { z } from 'zod';
import { defineTool } from '../tool.js';
import type { OpenToolset, TodoList } from '../toolset.js';

const mostTodos = 1000;

const status = z.enum(['pending', 'in-progress', 'completed']);
const description = z.string().min(1).max(2000);

/** A list of things to do, kept in memory: a resumed session has the old list in its history, and starts a new one. */
export function todoToolset(list: TodoList): OpenToolset {
  const add = (what: string): string => {
    if (list.size >= mostTodos) throw new Error(`the list holds ${mostTodos} things already`);
    const id = `todo_${list.size + 1}`;
    list.set(id, { description: what, status: 'pending' });
    return id;
  };
  return {
    instructions: 'Write down what a task of several steps needs before you begin, and keep the list up to date.',
    tools: [
      defineTool({
        name: 'create_todo',
        description: 'Adds one thing to the list of things to do, and returns its id.',
        readOnly: true,
        input: z.object({ description }),
        run: ({ description: what }) => Promise.resolve(add(what)),
      }),
      defineTool({
        name: 'create_todos',
        description: 'Adds several things to the list of things to do, in this order, and returns their ids.',
        readOnly: true,
        input: z.object({ descriptions: z.array(description).min(1).max(100) }),
        run: ({ descriptions }) => Promise.resolve(descriptions.map(add).join(', ')),
      }),
      defineTool({
        name: 'update_todos',
        description: 'Says how far things on the list are.',
        readOnly: true,
        input: z.object({ updates: z.array(z.object({ id: z.string(), status })).min(1) }),
        run({ updates }) {
          const unknown = updates.filter(({ id }) => !list.has(id)).map(({ id }) => id);
          if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', ')}; nothing was changed`);
          for (const { id, status: now } of updates) {
            const entry = list.get(id);
            if (entry !== undefined) entry.status = now;
          }
          return Promise.resolve(show(list));
        },
      }),
      defineTool({
        name: 'list_todos',
        description: 'Returns the list of things to do, a line each: id, status, description.',
        readOnly: true,
        input: z.object({}),
        run: () => Promise.resolve(show(list)),
      }),
    ],
  };
}

function show(list: TodoList): string {
  if (list.size === 0) return 'The list is empty.';
  return [...list].map(([id, entry]) => `${id} [${entry.status}] ${entry.description}`).join('\n');
}
