import { readFile } from 'node:fs/promises';
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { checkConfig } from './check.js';
import { GatewayConfigError } from './problem.js';
import type { Document, Node } from 'yaml';
import type { Finding } from './check.js';
import type { Position } from './problem.js';
import type { Config, ConfigInput } from './schema.js';

/** Settings that replace those of the file, such as the options of a command line. */
export type Overrides = Pick<ConfigInput, 'listen' | 'admin' | 'drain_ms'>;

const mostBytes = 1024 * 1024;

/**
 * Reads `gateway.yaml`.
 *
 * @throws GatewayConfigError with every problem, each with its line and column.
 */
export async function readConfig(file: string, overrides: Overrides = {}): Promise<Config> {
  const text = await readText(file);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false });
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length > 0)
    throw new GatewayConfigError(
      wrong.map(({ message, pos }) => ({
        file,
        path: '',
        message: `not valid YAML: ${firstLine(message)}`,
        position: place(pos[0]),
      })),
    );
  const checked = checkConfig(overridden(valueOf(document, file) ?? {}, overrides));
  if ('config' in checked) return checked.config;
  const problems = checked.findings.map(({ path, message, at }) => {
    const node = locate(document, path, at === 'key');
    const position = place(node?.range?.[0] ?? 0);
    return { file, path: at === 'key' ? pathText(path.slice(0, -1)) : pathText(path), message, position };
  });
  throw new GatewayConfigError(problems.sort(byPosition));
}

/**
 * A configuration that was given as an object.
 *
 * @throws GatewayConfigError with every problem.
 */
export function configOf(given: unknown, file = 'the options'): Config {
  const checked = checkConfig(given);
  if ('config' in checked) return checked.config;
  throw new GatewayConfigError(
    checked.findings.map(({ path, message }: Finding) => ({ file, path: pathText(path), message })),
  );
}

async function readText(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    const message = code === 'ENOENT' ? 'there is no such file; check the path' : `cannot be read (${code})`;
    throw new GatewayConfigError([{ file, path: '', message }], { cause });
  }
  if (bytes.length > mostBytes)
    throw unusable(file, 'is larger than 1 MiB; a configuration is a few kilobytes of YAML');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw unusable(file, 'is not UTF-8 text; save it as UTF-8');
  }
}

function valueOf(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    throw unusable(file, 'cannot be used: its aliases expand to far more than was written, or it is nested too deeply');
  }
}

/** Replaces settings of the file by the overrides. A setting of the wrong type stays as it is, so that its check reports it. */
function overridden(value: unknown, { listen, admin, ...rest }: Overrides): unknown {
  if (!isRecord(value)) return value;
  const merged = (name: 'listen' | 'admin', given: object | undefined): object => {
    const own = value[name] ?? {};
    return given === undefined ? {} : { [name]: isRecord(own) ? { ...own, ...given } : own };
  };
  return { ...value, ...rest, ...merged('listen', listen), ...merged('admin', admin) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unusable(file: string, message: string): GatewayConfigError {
  return new GatewayConfigError([{ file, path: '', message }]);
}

/** The node at a path; where the file has none, the nearest node above it. */
function locate(document: Document.Parsed, path: readonly PropertyKey[], atKey: boolean): Node | undefined {
  let node: unknown = document.contents;
  let found = isNode(node) ? node : undefined;
  for (const [depth, part] of path.entries()) {
    const target = isAlias(node) ? node.resolve(document) : node;
    if (isMap(target)) {
      const pair = target.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (pair === undefined) return found;
      const isLast = depth === path.length - 1;
      const key = isNode(pair.key) ? pair.key : undefined;
      // A list or a mapping begins on the line after its key, so its position is that of the key.
      found = isLast && !atKey && isScalar(pair.value) ? pair.value : key;
      node = pair.value;
    } else if (isSeq(target)) {
      node = target.items[Number(part)];
      if (isNode(node)) found = node;
    } else return found;
  }
  return found;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'range' in value;
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

function byPosition(a: { position: Position }, b: { position: Position }): number {
  return a.position.line - b.position.line || a.position.column - b.position.column;
}
