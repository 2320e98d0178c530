import { randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { readText } from '../files/text-file.js';
import { defineTool } from '../tool.js';
import type { OpenToolset } from '../toolset.js';

/** The largest file, in bytes. */
const fileLimit = 1024 * 1024;

/** The most characters of memories that are put into a prompt. */
const longestRecall = 32 * 1024;

const entry = z.object({ id: z.string(), created: z.string(), memory: z.string() });
const entries = z.array(entry);
type Entry = z.output<typeof entry>;

/**
 * The memories of an agent from session to session, as a JSON list in a file. The file is read at each use and replaced as a whole: a crash leaves the old
 * list or the new one, and when two sessions write at the same time, the later write replaces the other.
 */
export function memoryToolset(file: string): OpenToolset {
  // Changes run one after another, so that each one sees the one before.
  let last: Promise<unknown> = Promise.resolve();
  const change = (edit: (before: readonly Entry[]) => Entry[]): Promise<void> => {
    const next = last.then(async () => write(file, edit(await read(file))));
    last = next.catch(() => undefined);
    return next;
  };
  const recall = async (): Promise<string> => {
    const found = await read(file);
    const lines: string[] = [];
    let length = 0;
    // Where they are too many, the newest are kept.
    for (const { id: known, memory: text } of found.toReversed()) {
      length += text.length;
      if (length > longestRecall) break;
      lines.unshift(`- ${known}: ${text}`);
    }
    const more = found.length - lines.length;
    return [...(more === 0 ? [] : [`(${more} older ones: get_memories has them)`]), ...lines].join('\n');
  };
  const find = async (wanted: (memory: Entry) => boolean): Promise<string> => {
    const found = (await read(file)).filter(wanted);
    if (found.length === 0) return 'Nothing is remembered.';
    return found.map(({ id, created, memory }) => `${id} (${created.slice(0, 10)}) ${memory}`).join('\n');
  };
  const id = z.string().describe('As get_memories shows it.');
  const memory = z.string().min(1).max(10_000).describe('What to remember, as a sentence that stands by itself.');
  return {
    recall,
    instructions: 'Look at your memories before you begin, and remember what will be of use in later conversations.',
    tools: [
      defineTool({
        name: 'add_memory',
        description: 'Remembers something for all later conversations, and returns its id.',
        readOnly: false,
        input: z.object({ memory }),
        async run({ memory: text }) {
          const added = { id: randomUUID().slice(0, 8), created: new Date().toISOString(), memory: text };
          await change((before) => [...before, added]);
          return added.id;
        },
      }),
      defineTool({
        name: 'get_memories',
        description: 'Returns all that is remembered, a line each: id, date, memory.',
        readOnly: true,
        input: z.object({}),
        run: () => find(() => true),
      }),
      defineTool({
        name: 'search_memories',
        description: 'Returns the memories that hold a text; upper and lower case are the same.',
        readOnly: true,
        input: z.object({ query: z.string().min(1) }),
        run: ({ query }) => find(({ memory: text }) => text.toLowerCase().includes(query.toLowerCase())),
      }),
      defineTool({
        name: 'update_memory',
        description: 'Replaces what is remembered under an id.',
        readOnly: false,
        input: z.object({ id, memory }),
        async run({ id: wanted, memory: text }) {
          await change((before) => replaced(before, wanted, (found) => [{ ...found, memory: text }]));
          return `Changed ${wanted}.`;
        },
      }),
      defineTool({
        name: 'delete_memory',
        description: 'Forgets what is remembered under an id.',
        readOnly: false,
        input: z.object({ id }),
        async run({ id: wanted }) {
          await change((before) => replaced(before, wanted, () => []));
          return `Forgot ${wanted}.`;
        },
      }),
    ],
  };
}

function replaced(before: readonly Entry[], id: string, by: (found: Entry) => Entry[]): Entry[] {
  if (!before.some((memory) => memory.id === id)) throw new Error(`nothing is remembered under ${id}`);
  return before.flatMap((memory) => (memory.id === id ? by(memory) : [memory]));
}

async function read(file: string): Promise<Entry[]> {
  let text: string;
  try {
    const found = await readText(file, 'the memory', fileLimit);
    if (found.cut > 0) throw new Error(`the memory ${file} is larger than 1 MiB`);
    ({ text } = found);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  try {
    return entries.parse(JSON.parse(text));
  } catch (error) {
    // To go on would replace the content of a file that is not turnwire's.
    throw new Error(`${file} holds no memories of turnwire; give "path" another file`, { cause: error });
  }
}

async function write(file: string, memories: readonly Entry[]): Promise<void> {
  const text = `${JSON.stringify(memories, undefined, 2)}\n`;
  if (Buffer.byteLength(text) > fileLimit) throw new Error('the memory is full; delete what is of no use any more');
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.tmp`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, file);
}
