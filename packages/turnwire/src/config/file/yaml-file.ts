import { open, stat } from 'node:fs/promises';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { ConfigError, type Position, type Problem } from './problem.js';

const mostBytes = 1024 * 1024;
const start: Position = { line: 1, column: 1 };

/** The keys that lead from the top of a file to a place in it; list entries by number. */
export type Path = readonly PropertyKey[];

/** A YAML file in memory, with the position of each value. */
export interface YamlFile {
  name: string;
  value: unknown;
  /** A problem at the value of `path`, or at its key. A missing value is reported where it would stand. */
  problem(message: string, path: Path, at?: 'key' | 'value'): Problem;
}

/**
 * Reads a YAML file of at most 1 MiB: one document, with anchors and merge keys, without duplicate keys and unknown tags.
 *
 * @throws ConfigError if the file cannot be read, is no text, is empty, or is no YAML; with all syntax errors and their places
 */
export async function readYamlFile(name: string): Promise<YamlFile> {
  return parseYaml(name, decode(name, await readBytes(name)));
}

async function readBytes(name: string): Promise<Uint8Array> {
  try {
    // Checked before opening: opening a pipe without a writer never returns.
    const kind = await stat(name);
    if (kind.isDirectory()) throw unusable(name, 'is a directory; name the YAML file in it');
    if (!kind.isFile()) throw unusable(name, 'is not a regular file; save the YAML to a file and name that');
    if (kind.size > mostBytes) throw tooLarge(name);
    const file = await open(name);
    try {
      // The file may have grown since. One byte more than the limit is read, to see that it was passed.
      const bytes = new Uint8Array(mostBytes + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(bytes, length, bytes.length - length);
        length += bytesRead;
        if (length > mostBytes) throw tooLarge(name);
        if (bytesRead === 0) return bytes.subarray(0, length);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw unusable(name, unreadable[code] ?? `cannot be read (${code})`, error);
  }
}

const unreadable: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; check the path',
  ENOTDIR: 'there is no such file: a part of the path is not a directory',
  EACCES: 'may not be read by this user; check its permissions',
  EPERM: 'may not be read by this user; check its permissions',
  ELOOP: 'is a symbolic link that leads to itself',
  ENAMETOOLONG: 'there is no such file: the name is too long',
};

function decode(name: string, bytes: Uint8Array): string {
  if (bytes.includes(0)) throw unusable(name, 'is binary, not a YAML text; name an agent file');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw unusable(name, 'is not UTF-8 text; save it as UTF-8', error);
  }
}

function parseYaml(name: string, text: string): YamlFile {
  const lines = new LineCounter();
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return line === 0 ? start : { line, column: col };
  };
  let document: Document.Parsed;
  let value: unknown;
  try {
    document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false });
    // For the parser an unknown tag is a warning; here it is an error, since it would have no effect.
    const found = [...document.errors, ...document.warnings];
    // The parser ran out of stack: its other messages are consequences of that.
    if (found.some(({ code }) => code === 'RESOURCE_EXHAUSTION')) throw new RangeError('nested too deeply');
    if (found.length > 0) {
      throw new ConfigError(
        found.map((error) => ({ file: name, path: '', message: explain(error), position: place(error.pos[0]) })),
      );
    }
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    // Two causes make the parser throw: aliases that multiply, and nesting deeper than the stack.
    const message =
      error instanceof ReferenceError ? 'its aliases expand to far more than was written' : 'it is nested too deeply';
    throw new ConfigError([{ file: name, path: '', message: `cannot be used: ${message}`, position: start }], {
      cause: error,
    });
  }
  if (value === null || value === undefined) {
    const message = `the file is empty; it needs "agents" with an agent "root"`;
    throw new ConfigError([{ file: name, path: '', message, position: start }]);
  }
  return {
    name,
    value,
    problem(message, path, at = 'value') {
      const node = locate(document, path, at);
      const position = node?.range ? place(node.range[0]) : start;
      return { file: name, path: path.map(String).join('.'), message, position };
    },
  };
}

function explain(error: { code: string; message: string }): string {
  if (error.code === 'DUPLICATE_KEY') return 'this key stands here twice; keep one of them';
  if (error.code === 'TAG_RESOLVE_FAILED') return 'a tag ("!…") that means nothing here; remove it';
  return `not valid YAML: ${error.message.replace(/\s+/g, ' ').trim()}`;
}

/** The node at `path`, or the nearest node above it that the file has. */
function locate(document: Document.Parsed, path: Path, at: 'key' | 'value'): Node | undefined {
  let found: Node | undefined;
  let node: unknown = document.contents;
  for (const [depth, part] of path.entries()) {
    const target = resolveAlias(document, node);
    if (isMap(target)) {
      const pair = pairOf(document, target, String(part));
      if (pair === undefined) return found;
      const key = isScalar(pair.key) ? pair.key : undefined;
      const last = depth === path.length - 1;
      found = last && at === 'value' && isNode(pair.value) && isVisible(pair.value) ? pair.value : key;
      node = pair.value;
    } else if (isSeq(target)) {
      node = target.items[Number(part)];
      if (isNode(node)) found = node;
    } else {
      return found;
    }
  }
  return found;
}

function pairOf(document: Document.Parsed, map: YAMLMap, name: string): Pair | undefined {
  const own = map.items.find(({ key }) => isScalar(key) && String(key.value) === name);
  if (own !== undefined) return own;
  const merge = map.items.find(({ key }) => isScalar(key) && key.source === '<<');
  const target = resolveAlias(document, merge?.value);
  for (const source of isSeq(target) ? target.items : [target]) {
    const merged = resolveAlias(document, source);
    const pair = isMap(merged) && merged !== map ? pairOf(document, merged, name) : undefined;
    if (pair !== undefined) return pair;
  }
  return undefined;
}

function resolveAlias(document: Document.Parsed, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'range' in value;
}

/**
 * False for a node without a position of its own: a list or mapping begins on the line after its key, and an empty value has no text. The key's position is
 * shown then.
 */
function isVisible(node: Node): boolean {
  return isAlias(node) || (isScalar(node) && node.source !== '');
}

function tooLarge(name: string): ConfigError {
  return unusable(name, 'is larger than 1 MiB; an agent file is a few kilobytes of YAML');
}

function unusable(name: string, message: string, cause?: unknown): ConfigError {
  return new ConfigError([{ file: name, path: '', message }], { cause });
}
