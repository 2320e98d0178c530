import { stringify } from 'yaml';
import { runWithoutPause } from '../base/incremental.js';
import { Context } from '../memory/context.js';
import { itemsOf } from '../request/items.js';
import type { Script } from '../sources/script/script-type.js';
import { isItem, type Item } from '../wire/wire.js';
import { loadRecording } from '../replay/recording.js';
import { answeredCreates, type AnsweredCreate } from './answered-create.js';
import { entryOf } from './entry.js';

type Entry = NonNullable<Script['turns']>[number];
type Rule = NonNullable<Script['rules']>[number];

/** One entry of a script, and its place in its conversation. */
interface PlacedEntry {
  readonly entry: Entry;
  /** The number of the turn in its conversation, from 1. */
  readonly turn: number;
  /** The texts that the entry answers. */
  readonly input: string;
}

/**
 * A script, in YAML, with the answers of a recording: texts, calls, items of hosted tools, refusals and errors. One conversation becomes
 * `turns`; several become `rules`, which tell the conversations apart by their inputs.
 *
 * A part that a script cannot express is left out, with a comment that says so. Ids, usage and times are left to the emulator.
 *
 * @throws EmulatorError if the file is no recording, or holds no turn
 */
export async function scriptOf(file: string, upstream?: string): Promise<string> {
  const recording = await loadRecording(file, upstream);
  const notes: string[] = [];
  const contexts = new Map<string, Context>();
  const placed: PlacedEntry[] = [];
  for (const answer of answeredCreates(recording)) {
    const context = contextOf(answer, contexts);
    const { entry, output, id, notes: left } = entryOf(answer);
    notes.push(...left.map((note) => `line ${answer.line}: ${note}`));
    if (id !== undefined) contexts.set(id, context.with(output));
    if (entry !== undefined) placed.push({ entry, turn: context.turns + 1, input: context.unansweredText });
  }
  const script = isOneConversation(placed)
    ? { turns: placed.map(({ entry }) => entry) }
    : { rules: rulesOf(placed, notes) };
  return `${notes.map((note) => `# ${note}\n`).join('')}${stringify(script, { lineWidth: 0 })}`;
}

/** The context of a recorded turn, as far as it is in the recording. */
function contextOf({ request }: AnsweredCreate, contexts: ReadonlyMap<string, Context>): Context {
  const { previous_response_id: previous, input } = request;
  const known = typeof previous === 'string' ? contexts.get(previous) : undefined;
  return (known ?? Context.of([])).with(lenientItems(input));
}

function lenientItems(input: unknown): readonly Item[] {
  if (typeof input === 'string') return runWithoutPause(itemsOf(input));
  return Array.isArray(input) ? input.filter(isItem) : [];
}

/** True if the entries are consecutive turns of one conversation. Errors and failures may stand between them. */
function isOneConversation(placed: readonly PlacedEntry[]): boolean {
  let modelTurns = 0;
  return placed.every(({ entry, turn }) => {
    const next = turn === modelTurns + 1;
    if (entry.error === undefined && entry.fail === undefined) modelTurns += 1;
    return next;
  });
}

/** The rules for some entries. The first rule that matches answers, so rules with longer inputs come first. Equal rules appear once. */
function rulesOf(placed: readonly PlacedEntry[], notes: string[]): readonly Rule[] {
  const rules = new Map<string, Rule>();
  for (const { entry, turn, input } of placed) {
    const once = entry.error === undefined ? entry : { ...entry, error: { ...entry.error, times: 1 } };
    const key = JSON.stringify([turn, input, once.error !== undefined]);
    const known = rules.get(key);
    const match = { turn, ...(input === '' ? {} : { input: literal(input) }) };
    if (known === undefined) rules.set(key, { match, reply: once });
    else if (JSON.stringify(known.reply) !== JSON.stringify(once))
      notes.push(
        `two conversations ask ${JSON.stringify(input.slice(0, 60))} in turn ${turn}: the first answer is given to both`,
      );
  }
  const length = ({ match }: Rule): number => match.input?.length ?? 0;
  const isError = ({ reply }: Rule): number => (reply.error === undefined ? 1 : 0);
  return [...rules.values()].toSorted((a, b) => length(b) - length(a) || isError(a) - isError(b));
}

/** An input as a pattern. A text that would be read as a regular expression becomes one that matches the text itself. */
function literal(input: string): string {
  return /^\/.+\/[a-z]*$/s.test(input) ? `/${input.replace(/[$()*+./?[\\\]^{|}]/g, String.raw`\$&`)}/` : input;
}
