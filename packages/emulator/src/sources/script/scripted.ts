import { sha256 } from '../../base/digest.js';
import type { Answer, Question, Reply, ReplyItem, Source } from '../answer.js';
import { isClientCall } from '../../wire/client-calls.js';
import type { Context } from '../../memory/context.js';
import { compilePattern } from '../../base/pattern.js';
import { Refusal } from '../../wire/refusal.js';
import { toolSchema, type ToolItem } from '../tool-schema.js';
import type { CheckedScript, Entry, ScriptedCall } from './script.js';
import { elements, type Element } from './script-entry.js';
import { ConversationScope } from '../conversation-scope.js';
import { renderText, renderValue, TemplateError, type Scope } from '../template.js';

/** The maximum number of counted pairs of an error and a transcript. The oldest pair is forgotten first. */
const maxCounts = 10_000;

/** A source that answers with a script. */
export interface ScriptedSource {
  readonly source: Source;
  /** The entries of `turns` that have not answered a request, by their place in the script: `turns[2]`. */
  unusedTurns(): readonly string[];
}

export function scripted(script: CheckedScript): ScriptedSource {
  const rules = (script.rules ?? []).map(({ match, reply }) => ({ matches: matcher(match), reply }));
  const turns = script.turns ?? [];
  const modelTurns = turns.filter(addsModelTurn);
  const errorCounter = new ErrorCounter();
  const used = new Set<Entry>();
  const places = new Map<Entry, string>([
    ...turns.map((entry, index) => [entry, `turns[${index}]`] as const),
    ...(script.rules ?? []).map(({ reply }, index) => [reply, `rules[${index}].reply`] as const),
  ]);

  const source: Source = (question) => {
    const turn = question.context.turns + 1;
    const answerWith = (entry: Entry) => {
      used.add(entry);
      return answer(entry, script, new ConversationScope(question, turn, modelTurns), places.get(entry) ?? 'a turn');
    };

    for (const { matches, reply } of rules) {
      if (matches(question, turn) && errorCounter.allows(reply, question.context, Infinity)) return answerWith(reply);
    }
    for (const entry of candidates(turns, turn)) {
      if (addsModelTurn(entry) || errorCounter.allows(entry, question.context, 1)) return answerWith(entry);
    }
    const last = modelTurns.at(-1);
    if (script.after === 'repeat' && last !== undefined) return answerWith(last);
    if (script.after === 'echo') return undefined;
    throw exhausted(turn, turns.length);
  };
  return {
    source,
    unusedTurns: () => turns.filter((entry) => !used.has(entry)).map((entry) => places.get(entry) ?? ''),
  };
}

/** True for an entry that adds a model turn to the transcript. An error and a failure add nothing, so they are not counted as turns. */
function addsModelTurn(entry: Entry): boolean {
  return entry.error === undefined && entry.fail === undefined;
}

/** The entry of this turn, preceded by the errors and failures between it and the entry of the turn before. */
function candidates(turns: readonly Entry[], turn: number): readonly Entry[] {
  let modelTurns = 0;
  return turns.filter((entry) => {
    const reached = modelTurns === turn - 1;
    if (addsModelTurn(entry)) modelTurns += 1;
    return reached;
  });
}

type Match = NonNullable<CheckedScript['rules']>[number]['match'];

function matcher(match: Match): (question: Question, turn: number) => boolean {
  const model = match.model === undefined ? undefined : compilePattern(match.model);
  const input = match.input === undefined ? undefined : compilePattern(match.input);
  return ({ request, context }, turn) =>
    (match.turn === undefined || match.turn === turn) &&
    (model === undefined || model(request.model)) &&
    (input === undefined || input(context.unansweredText));
}

/** The answer of an entry. `place` is the place of the entry in the script. @throws Refusal for an error, or a template without a value */
function answer(entry: Entry, script: CheckedScript, scope: Scope, place: string): Answer {
  if (entry.error !== undefined) {
    const { status, message = `The script answers with status ${status}.`, ...details } = entry.error;
    throw new Refusal(message, { status, ...details });
  }
  try {
    return { kind: 'reply', reply: replyOf(entry, scope), pace: entry.pace ?? script.pace, place };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new Refusal(`The script's answer at ${place} cannot be made: ${error.message}.`, {
      code: 'script_template',
    });
  }
}

function replyOf(entry: Entry, scope: Scope): Reply {
  return {
    output: elements(entry).map((element) => replyItemOf(element, scope)),
    end:
      entry.fail !== undefined
        ? { kind: 'failed', code: entry.fail.code, message: renderText(entry.fail.message, scope) }
        : entry.incomplete !== undefined
          ? { kind: 'incomplete', reason: entry.incomplete }
          : { kind: 'completed' },
  };
}

function replyItemOf(element: Element, scope: Scope): ReplyItem {
  const render = (text: string | undefined) => (text === undefined ? undefined : renderText(text, scope));
  const { reasoning, reasoning_text, text, refusal, annotations, phase, call, tool } = element;
  if (tool !== undefined) return { kind: 'tool', item: rendered(tool, scope) };
  if (call !== undefined) return scriptedCall(call, scope);
  if (text !== undefined || refusal !== undefined) {
    return { kind: 'message', text: render(text), refusal: render(refusal), annotations, phase };
  }
  const summary = typeof reasoning === 'string' ? [reasoning] : (reasoning ?? []);
  return {
    kind: 'reasoning',
    summary: summary.map((part) => renderText(part, scope)),
    content: render(reasoning_text),
  };
}

function scriptedCall({ name, arguments: given = {}, input }: ScriptedCall, scope: Scope): ReplyItem {
  if (input !== undefined) return { kind: 'custom_tool_call', name, input: renderText(input, scope) };
  const text = typeof given === 'string' ? renderText(given, scope) : JSON.stringify(renderValue(given, scope));
  return { kind: 'function_call', name, arguments: text };
}

/** The item of a tool with its templates filled in. The item is checked again, because a template may give a value of another type. */
function rendered(tool: ToolItem, scope: Scope): ToolItem {
  const checked = toolSchema.safeParse(renderValue(tool, scope));
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const where = issue?.path.map(String).join('.') ?? '';
  throw new TemplateError(`its ${tool.type} is not valid at "${where}": ${issue?.message ?? 'unknown reason'}`);
}

function exhausted(turn: number, entries: number): Refusal {
  const message =
    entries === 0
      ? 'No rule of the script matches this request; add one, or `after: echo`.'
      : `The script has no answer for turn ${turn}; add an entry to its turns, or \`after: repeat\` or \`after: echo\`.`;
  return new Refusal(message, { code: 'script_exhausted' });
}

/** Counts how many times an error has answered a transcript, so that the same request gets past the error when it is sent again. */
class ErrorCounter {
  readonly #answered = new Map<string, number>();
  readonly #entryIds = new WeakMap<Entry, number>();
  #entries = 0;

  /** True if the entry still answers this transcript. The request that it lets pass resets the count. */
  allows(entry: Entry, context: Context, defaultTimes: number): boolean {
    const times = (entry.error ?? entry.fail)?.times ?? defaultTimes;
    if (addsModelTurn(entry) || times === Infinity) return true;
    const key = `${this.#idOf(entry)} ${fingerprint(context)}`;
    const answered = this.#answered.get(key) ?? 0;
    this.#answered.delete(key);
    if (answered >= times) return false;
    this.#answered.set(key, answered + 1);
    if (this.#answered.size > maxCounts) {
      for (const oldest of this.#answered.keys()) {
        this.#answered.delete(oldest);
        break;
      }
    }
    return true;
  }

  #idOf(entry: Entry): number {
    const known = this.#entryIds.get(entry);
    if (known !== undefined) return known;
    this.#entries += 1;
    this.#entryIds.set(entry, this.#entries);
    return this.#entries;
  }
}

/** A digest of the call ids and the unanswered texts, which is the same whether a transcript came in full or by an id. */
function fingerprint(context: Context): string {
  const calls = context
    .items()
    .filter(isClientCall)
    .map((item) => item['call_id'] ?? item['id']);
  return sha256(JSON.stringify([calls, context.unansweredText]));
}
