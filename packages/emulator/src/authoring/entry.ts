import type { Script } from '../sources/script/script-type.js';
import { annotationSchema, toolSchema } from '../sources/tool-schema.js';
import { isRecord, type Item } from '../wire/wire.js';
import { endOf, type AnsweredCreate } from './answered-create.js';

type Entry = NonNullable<Script['turns']>[number];
type Element = NonNullable<Entry['output']>[number];

/** A recorded turn as an entry of a script. */
export interface ScriptedTurn {
  /** The entry; undefined for a turn without content, such as a warm-up or a turn that broke off at once. */
  readonly entry: Entry | undefined;
  /** The id of the response in which the turn ended. */
  readonly id: string | undefined;
  readonly output: readonly Item[];
  /** Sentences about the parts of the turn that a script cannot express. */
  readonly notes: readonly string[];
}

export function entryOf(answer: AnsweredCreate): ScriptedTurn {
  const notes: string[] = [];
  const end = endOf(answer);
  if (end.kind === 'error') {
    return { entry: { error: errorOf(end.error, end.status, answer.headers) }, id: undefined, output: [], notes };
  }
  const { output } = end;
  const elements = output.flatMap((item) => elementOf(item, notes) ?? []);
  const said: Entry = elements.length === 0 ? {} : (shortForm(elements) ?? { output: elements });
  if (end.kind === 'cut') {
    notes.push('the answer breaks off before its end; what was said until then is written as if it had ended');
    return { entry: elements.length === 0 ? undefined : said, id: undefined, output, notes };
  }
  const { response } = end;
  const id = typeof response['id'] === 'string' ? response['id'] : undefined;
  const endFields = endFieldsOf(response);
  if (elements.length === 0 && endFields.fail === undefined) {
    if (answer.request['generate'] !== false) notes.push('the answer says nothing that a script has words for');
    return { entry: undefined, id, output, notes };
  }
  return { entry: { ...said, ...endFields }, id, output, notes };
}

const incompleteReasons = ['max_output_tokens', 'max_messages', 'content_filter'] as const;

function endFieldsOf({
  status,
  error,
  incomplete_details: details,
}: Record<string, unknown>): Pick<Entry, 'fail' | 'incomplete'> {
  if (status === 'failed') {
    const { code, message } = isRecord(error) ? error : {};
    return {
      fail: { code: textOr(code, 'server_error'), message: escapeTemplates(textOr(message, 'The turn failed.')) },
    };
  }
  const reason = isRecord(details) ? incompleteReasons.find((each) => each === details['reason']) : undefined;
  return status === 'incomplete' && reason !== undefined ? { incomplete: reason } : {};
}

/** The headers of an error that clients obey. */
const retryHeaders = new Set(['retry-after', 'retry-after-ms', 'x-should-retry']);

function errorOf(
  error: Record<string, unknown>,
  status: number,
  headers: Readonly<Record<string, string>>,
): NonNullable<Entry['error']> {
  const fields = Object.fromEntries(
    ['code', 'type', 'message', 'param'].flatMap((name) =>
      typeof error[name] === 'string' ? [[name, error[name]]] : [],
    ),
  );
  const retryFields = Object.fromEntries(Object.entries(headers).filter(([name]) => retryHeaders.has(name)));
  return {
    status: status >= 400 && status <= 599 ? status : 400,
    ...fields,
    ...(Object.keys(retryFields).length === 0 ? {} : { headers: retryFields }),
  };
}

/** The entry in its short form (reasoning, then a text or refusal, then calls); undefined if the items have another order. */
function shortForm(elements: readonly Element[]): Entry | undefined {
  const rank = ({ reasoning, reasoning_text: raw, text, refusal, call }: Element): number =>
    raw !== undefined
      ? 4
      : reasoning !== undefined
        ? 0
        : (text ?? refusal) !== undefined
          ? 1
          : call !== undefined
            ? 2
            : 4;
  const ranks = elements.map(rank);
  const isInOrder = ranks.every((each, index) => each < 3 && (index === 0 || each >= (ranks[index - 1] ?? 0)));
  const once = [0, 1].every((each) => ranks.filter((other) => other === each).length <= 1);
  if (!isInOrder || !once) return undefined;
  const calls = elements.flatMap(({ call }) => call ?? []);
  return {
    ...Object.assign({}, ...elements.filter(({ call }) => call === undefined)),
    ...(calls.length === 0 ? {} : { calls }),
  };
}

function elementOf(item: Item, notes: string[]): Element | undefined {
  switch (item.type) {
    case 'message':
      return messageOf(item, notes);
    case 'reasoning':
      return reasoningOf(item, notes);
    case 'function_call':
      return { call: { name: textOr(item['name'], 'unknown'), ...argumentsOf(textOr(item['arguments'], '')) } };
    case 'custom_tool_call':
      return { call: { name: textOr(item['name'], 'unknown'), input: escapeTemplates(textOr(item['input'], '')) } };
    default:
      return toolOf(item, notes);
  }
}

const phases = ['commentary', 'final_answer'] as const;

function messageOf(item: Item, notes: string[]): Element | undefined {
  const parts = Array.isArray(item['content']) ? item['content'].filter(isRecord) : [];
  const join = (field: string): string => parts.map((part) => textOr(part[field], '')).join('');
  const [text, refusal] = [join('text'), join('refusal')];
  const phase = phases.find((each) => each === item['phase']);
  if (text === '' && refusal === '') {
    notes.push('a message without text is left out');
    return undefined;
  }
  const annotations = parts.flatMap((part) => (Array.isArray(part['annotations']) ? part['annotations'] : []));
  const known = annotations.flatMap((each: unknown) => {
    const checked = annotationSchema.safeParse(each);
    return checked.success ? [checked.data] : [];
  });
  if (known.length < annotations.length) notes.push('annotations of a kind that scripts do not have are left out');
  return {
    ...(text === '' ? {} : { text: escapeTemplates(text) }),
    ...(refusal === '' ? {} : { refusal: escapeTemplates(refusal) }),
    ...(known.length === 0 || text === '' ? {} : { annotations: known }),
    ...(phase === undefined ? {} : { phase }),
  };
}

function reasoningOf(item: Item, notes: string[]): Element | undefined {
  const textsOf = (field: string): readonly string[] =>
    (Array.isArray(item[field]) ? item[field].filter(isRecord) : [])
      .map((part) => escapeTemplates(textOr(part['text'], '')))
      .filter((text) => text !== '');
  const summary = textsOf('summary');
  const content = textsOf('content').join('');
  if (summary.length === 0 && content === '') {
    notes.push('reasoning without a summary is left out');
    return undefined;
  }
  const [only, ...more] = summary;
  return {
    ...(only === undefined ? {} : { reasoning: more.length === 0 ? only : [only, ...more] }),
    ...(content === '' ? {} : { reasoning_text: content }),
  };
}

/** The arguments of a call: an object if its JSON is the same text again, else the text. */
function argumentsOf(text: string): { readonly arguments: Record<string, unknown> | string } {
  if (!text.includes('{{')) {
    try {
      const value: unknown = JSON.parse(text);
      if (isRecord(value) && JSON.stringify(value) === text) return { arguments: value };
    } catch {
      // Arguments that are not JSON stay a text.
    }
  }
  return { arguments: escapeTemplates(text) };
}

/** The fields of a tool's item that the emulator makes up when it answers. */
const generatedFields = new Set(['id', 'status', 'call_id', 'created_by', 'encrypted_content']);

function toolOf(item: Item, notes: string[]): Element | undefined {
  const fields = Object.fromEntries(
    Object.entries(item).filter(([name, value]) => !generatedFields.has(name) && value !== null && value !== undefined),
  );
  const { action, environment, ...rest } = fields;
  const shell = isRecord(action) && item.type === 'shell_call' ? { ...rest, ...action } : undefined;
  const container =
    isRecord(environment) && environment['container_id'] !== undefined
      ? { container_id: environment['container_id'] }
      : {};
  const checked = toolSchema.safeParse(shell === undefined ? fields : { ...shell, ...container });
  if (checked.success && !JSON.stringify(fields).includes('{{')) return { tool: checked.data };
  notes.push(`an item of the type ${String(item.type)} is left out: a script cannot say it as it is`);
  return undefined;
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

/** A text whose double braces are escaped, so that the script does not read them as a template. */
function escapeTemplates(text: string): string {
  return text.replaceAll('{{', '{{ "{{" }}');
}
