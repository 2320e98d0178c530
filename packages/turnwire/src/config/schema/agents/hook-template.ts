/** A field of a template and its filters: `{{ .ToolInput | toJSON | truncate 500 }}`. */
export interface TemplateField {
  /** The keys that lead to the value: `['ToolInput', 'cmd']` for `.ToolInput.cmd`. */
  path: readonly string[];
  filters: readonly TemplateFilter[];
}

export type TemplateFilter = { kind: 'json' } | { kind: 'truncate'; bytes: number };

/** A piece of a template: a text, or a field. */
export type TemplatePart = string | TemplateField;

/** A field between braces. A dash inside a brace removes the blanks on that side, as in Go. */
const braces = /(?:\s*\{\{-(?=\s)|\{\{)(.*?)(?:(?<=\s)-\}\}\s*|\}\})/gs;
const field = /^\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)$/;

/** Reads a template. undefined for one that uses more of Go's templates than fields, `toJSON` and `truncate`. */
export function readTemplate(text: string): readonly TemplatePart[] | undefined {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const match of text.matchAll(braces)) {
    const read = readField((match[1] ?? '').trim());
    if (read === undefined) return undefined;
    parts.push(text.slice(end, match.index), read);
    end = match.index + match[0].length;
  }
  const rest = text.slice(end);
  return rest.includes('{{') ? undefined : [...parts, rest];
}

/** The form that a template must have, for the message about another one; undefined for a right one. */
export function templateProblem(text: string): string | undefined {
  return readTemplate(text) === undefined
    ? 'in which {{ .Field }} stands for what the hook is told, perhaps with toJSON or truncate, and no other {{…}}'
    : undefined;
}

function readField(written: string): TemplateField | undefined {
  const [head = '', ...pipes] = written.split('|').map((each) => each.trim());
  // As in Go, a function may also stand before its argument.
  const [, first, value] = /^(.*?)\s*(\.[\w.]+)$/s.exec(head) ?? [];
  const [, path] = field.exec(value ?? '') ?? [];
  if (path === undefined) return undefined;
  const filters: TemplateFilter[] = [];
  for (const written of [...(first === undefined || first === '' ? [] : [first]), ...pipes]) {
    const filter = readFilter(written);
    if (filter === undefined) return undefined;
    filters.push(filter);
  }
  return { path: path.split('.'), filters };
}

function readFilter(written: string): TemplateFilter | undefined {
  if (written === 'toJSON') return { kind: 'json' };
  const [, bytes] = /^truncate\s+(\d{1,7})$/.exec(written) ?? [];
  return bytes === undefined ? undefined : { kind: 'truncate', bytes: Number(bytes) };
}
