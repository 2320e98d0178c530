import { TextDecoder } from 'node:util';
import { readFile, stat } from 'node:fs/promises';
import { isMap, isScalar, Lexer, LineCounter, parseDocument, Parser, type Document, type YAMLParseError } from 'yaml';
import type { z } from 'zod';
import { atPlace, ScriptError, type ScriptPlace } from '../../base/errors.js';
import { firstIssue } from '../../base/option-problem.js';
import { scriptProblem } from './script-problem.js';
import { scriptSchema, type CheckedScript } from './script.js';
import { codeOf, messageOf } from '../../base/thrown.js';

/** The maximum size of a script. Scripts are written by hand, so a larger file is probably another one. */
const maxScriptBytes = 4 * 1024 * 1024;

/** The number of problems of one script that are told. */
const maxProblems = 20;

/** Reads and checks the file of a script. @throws ScriptError with one sentence and the place */
export async function loadScriptFile(file: string): Promise<CheckedScript> {
  return parseScript(await readScript(file), file);
}

/** Checks the text of a script, YAML or JSON; `file` names it in an error. @throws ScriptError */
export function parseScript(text: string, file: string): CheckedScript {
  if (text.length > maxScriptBytes) throw tooLarge(file);
  if (isTooDeep(text)) {
    const start = { file, line: 1, column: 1 };
    throw new ScriptError(`The script is nested more than ${maxDepth} deep; is it the right file?`, start);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): ScriptPlace => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const [fault] = document.errors;
  if (fault !== undefined) {
    const sentence = (error: YAMLParseError) => `This is not YAML: ${whyNotYaml(error)}`;
    const problems = document.errors.slice(0, maxProblems).map((each) => atPlace(sentence(each), place(each.pos[0])));
    throw new ScriptError(sentence(fault), place(fault.pos[0]), { problems });
  }
  const content = toObject(document, file);
  if (content === null) throw new ScriptError('The script is empty; give it turns or rules.', place(0));
  const checked = scriptSchema.safeParse(content);
  if (checked.success) return checked.data;
  const issue = firstIssue(checked.error);
  const problems = withoutConsequences(checked.error.issues)
    .slice(0, maxProblems)
    .map((each) => ({ offset: offsetOf(document, each), sentence: scriptProblem(each, content) }))
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ offset, sentence }) => atPlace(sentence, place(offset)));
  throw new ScriptError(scriptProblem(issue, content), place(offsetOf(document, issue)), { problems });
}

function whyNotYaml({ code, message }: YAMLParseError): string {
  return code === 'MULTIPLE_DOCS' ? 'a script is one document, and another one begins here' : oneLine(message);
}

function tooLarge(file: string): ScriptError {
  return new ScriptError(`The script ${file} is larger than ${maxScriptBytes} bytes; is it the right file?`);
}

/** The number of lists and mappings that may be within one another. Beyond a few hundred the library that composes them has no stack left. */
const maxDepth = 100;

/** True for a text whose lists and mappings are nested too deep, as its tokens tell before anything is composed of them. */
function isTooDeep(text: string): boolean {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    // The parser is a generator of finished documents; its stack has the lists and mappings around the lexeme.
    for (const _ of parser.next(lexeme)) continue;
    if (parser.stack.length > maxDepth) return true;
  }
  return false;
}

async function readScript(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > maxScriptBytes) throw tooLarge(file);
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    if (error instanceof ScriptError) throw error;
    throw new ScriptError(`The script ${file} cannot be read: ${whyUnreadable(error)}.`, undefined, { cause: error });
  }
}

function whyUnreadable(error: unknown): string {
  const code = codeOf(error);
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a directory';
  if (code === 'EACCES') return 'permission is denied';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is not UTF-8 text';
  return oneLine(messageOf(error));
}

function toObject(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // Aliases that expand without end, or that name no anchor, are errors only here.
    throw new ScriptError(oneLine(messageOf(error)), {
      file,
      line: 1,
      column: 1,
    });
  }
}

type Issue = z.core.$ZodIssue;

/** The issues without those of a mapping that has a misspelt key: what it lacks is probably what the key was to give. */
function withoutConsequences(issues: readonly Issue[]): readonly Issue[] {
  const place = ({ path }: Issue): string => path.map(String).join('.');
  const misspelt = new Set(issues.filter(({ code }) => code === 'unrecognized_keys').map(place));
  return issues.filter((issue) => issue.code === 'unrecognized_keys' || !misspelt.has(place(issue)));
}

function offsetOf(document: Document, issue: Issue): number {
  // A missing value has no place of its own, so the place of the nearest value around it is used.
  for (let depth = issue.path.length; depth >= 0; depth -= 1) {
    const path = issue.path.slice(0, depth);
    const node = path.length === 0 ? document.contents : document.getIn(path, true);
    if (issue.code === 'unrecognized_keys' && isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === issue.keys[0]);
      if (isScalar(pair?.key) && pair.key.range) return pair.key.range[0];
    }
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      return Number(node.range[0]);
    }
  }
  return 0;
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, ' ').replace(/[.:]$/, '').trim();
}
