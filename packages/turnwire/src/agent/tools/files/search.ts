import { stat } from 'node:fs/promises';
import { createContext, Script } from 'node:vm';
import { z } from 'zod';
import { firstCharacters } from '../../base/well-formed.js';
import { readText } from './text-file.js';
import { ignoredBy } from './ignored.js';
import { defineTool, type Tool } from '../tool.js';
import { walk } from './walk.js';
import { beyond, withPath, type Workspace } from './workspace.js';

const mostMatches = 200;
const longestLine = 300;
const largestFile = 1024 * 1024;
/** The time for which an expression may search one file, in milliseconds. An ordinary one needs a few. */
const matchTime = 1000;

export function searchTool(workspace: Workspace, ignoreVcs: boolean): Tool {
  return defineTool({
    name: 'search_files_content',
    description:
      'Finds the lines of text files that hold a text or match a regular expression, as path:line: content. Looks through a folder and all below it, without .git, node_modules, what git ignores, binary files and files over 1 MiB. At most 200 matches.',
    readOnly: true,
    paths: workspace.paths(['path']),
    beyond: async ({ path }) => beyond(workspace, [path]),
    revealing: true,
    restrictedAs: 'read_file',
    input: z.object({
      path: z.string().default('.').describe('A folder or a file, relative to the working directory.'),
      query: z.string().min(1).describe('What to look for; upper and lower case differ.'),
      is_regex: z.boolean().default(false).describe('Take the query as a JavaScript regular expression.'),
    }),
    run: ({ path, query, is_regex: isRegex }, { signal, mayRead = () => true, mayLeave }) =>
      withPath(path, async () => {
        const matching = isRegex ? byExpression(query) : byText(query);
        const found: string[] = [];
        let left = 0;
        const closed = await workspace.closed();
        for await (const file of filesIn(await workspace.resolve(path, mayLeave), { ignoreVcs, closed, signal })) {
          if (!mayRead(file)) {
            left += 1;
            continue;
          }
          const lines = await linesOf(file);
          for (const index of matching(lines, workspace.name(file))) {
            if (found.length === mostMatches)
              return `${found.join('\n')}\n[cut after ${mostMatches} matches; search for something rarer]`;
            found.push(`${workspace.name(file)}:${index + 1}: ${shorten(lines[index] ?? '')}`);
          }
        }
        const note =
          left === 0
            ? []
            : [`[${left} ${left === 1 ? 'file was' : 'files were'} left out: rules of the user restrain reading them]`];
        return [...(found.length === 0 ? ['No matches.'] : found), ...note].join('\n');
      }),
  });
}

interface Wanted {
  ignoreVcs: boolean;
  closed: ReadonlySet<string>;
  signal: AbortSignal;
}

async function* filesIn(place: string, { ignoreVcs, closed, signal }: Wanted): AsyncGenerator<string> {
  if ((await stat(place)).isFile()) {
    yield place;
    return;
  }
  const ignored = new Set([...closed, ...(ignoreVcs ? await ignoredBy(place, signal) : [])]);
  for await (const entry of walk(place, signal, { ignored })) if (entry.kind === 'file') yield entry.place;
}

/** The lines of a file; none for a file that is no text, too large, or gone. A search reports matches, and not the files that it could not read. */
async function linesOf(place: string): Promise<string[]> {
  try {
    const { text, cut } = await readText(place, place, largestFile);
    return cut > 0 ? [] : text.split(/\r?\n/);
  } catch {
    return [];
  }
}

/** Gives the indexes of the matching lines, from 0. */
type Matching = (lines: readonly string[], name: string) => number[];

const byText =
  (query: string): Matching =>
  (lines) =>
    lines.flatMap((line, index) => (line.includes(query) ? [index] : []));

/** A search by the model's expression. An expression that backtracks without end would stop the whole process; only `node:vm` can interrupt it. */
function byExpression(source: string): Matching {
  let expression: RegExp;
  try {
    expression = new RegExp(source, 'u');
  } catch (error) {
    throw new Error(
      `the query is not a regular expression: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  const view: { expression: RegExp; lines: readonly string[]; found: number[] } = { expression, lines: [], found: [] };
  const context = createContext(view);
  const script = new Script('lines.forEach((line, index) => { if (expression.test(line)) found.push(index); })');
  return (lines, name) => {
    try {
      Object.assign(view, { lines, found: [] });
      script.runInContext(context, { timeout: matchTime });
      return view.found;
    } catch (error) {
      throw new Error(`the expression takes too long on ${name}; write it without nested repetitions`, {
        cause: error,
      });
    }
  };
}

function shorten(line: string): string {
  return line.length > longestLine ? `${firstCharacters(line, longestLine)} …` : line;
}
