import { readTemplate, type TemplateField, type TemplateFilter } from '../../config/schema/agents/hook-template.js';
import { firstCharacters } from '../base/well-formed.js';

/** Replaces the fields of a template by the input of the hook. Fields are spelt as in docker-agent: `.ToolName` is `tool_name`. */
export function filledIn(text: string, told: Readonly<Record<string, unknown>>): string {
  return (readTemplate(text) ?? [text])
    .map((part) => (typeof part === 'string' ? part : filledField(part, told)))
    .join('');
}

function filledField({ path, filters }: TemplateField, told: Readonly<Record<string, unknown>>): string {
  const value = path.reduce<unknown>(memberOf, told);
  return spelled(filters.reduce<unknown>(filtered, value));
}

/** The member of a name. Keys of a tool's input are spelt as they are; the hook's own fields are spelt as in Go. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const key = [name, snakeCase(name)].find((each) => Object.hasOwn(value, each));
  return key === undefined ? undefined : (value as Readonly<Record<string, unknown>>)[key];
}

function filtered(value: unknown, filter: TemplateFilter): unknown {
  if (filter.kind === 'json') return JSON.stringify(value ?? null);
  const text = spelled(value);
  return text.length <= filter.bytes ? text : `${firstCharacters(text, filter.bytes)}…`;
}

function spelled(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
}

function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}
