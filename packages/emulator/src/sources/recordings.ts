import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { endsResponse } from '../wire/terminal.js';
import { join, sep } from 'node:path';
import type { Answer, RecordedResponse, Source } from './answer.js';
import type { Context } from '../memory/context.js';
import { EmulatorError } from '../base/errors.js';
import { Refusal } from '../wire/refusal.js';
import type { CreateRequest } from '../request/request.js';
import { isItem, isRecord, type Frame, type Item, type ResponseObject } from '../wire/wire.js';

const modelPrefix = 'recording/';
/** A name is one path segment without a leading dot, so that it cannot lead out of the folder. */
const recordingName = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
const maxRecordingBytes = 64 * 1024 * 1024;

/** True for a request that asks for a recording. It is answered as recorded, even if tool outputs are missing. */
export function asksForRecording(request: CreateRequest): boolean {
  return asksForRecordingModel(request.model);
}

export function asksForRecordingModel(model: string): boolean {
  return model.startsWith(modelPrefix);
}

/**
 * The source for `model: recording/NAME`, which answers with the unchanged lines of `FOLDER/NAME.jsonl`.
 *
 * A recording of several responses gives one in each turn. A request that continues one of them (by its id, or with its items in the input)
 * gets the next one. A request without such a history gets the one after the last that was given to the same lane of a socket or, over HTTP, to
 * any request. After the last response comes the first one again.
 */
export function recorded(folder: string | undefined): Source {
  const countsByKey = new WeakMap<object, Map<string, number>>();

  return async ({ request, context, counterKey }) => {
    if (!asksForRecording(request)) return undefined;
    const name = request.model.slice(modelPrefix.length);
    const responses = await loadResponses(folder, name);
    const counts = countsByKey.get(counterKey) ?? new Map<string, number>();
    countsByKey.set(counterKey, counts);
    const previous = indexOfContinued(responses, request, context) ?? counts.get(name) ?? -1;
    const index = (previous + 1) % responses.length;
    counts.set(name, index);
    const chosen = responses[index];
    if (chosen === undefined) throw unknownRecording(name, 'it is empty');
    return { kind: 'recorded', recorded: chosen } satisfies Answer;
  };
}

/** The names of the recordings of a folder, as models: `recording/NAME`. */
export async function recordingModels(folder: string | undefined): Promise<readonly string[]> {
  if (folder === undefined) return [];
  const files = (await readdir(folder)).filter((file) => file.endsWith('.jsonl') && recordingName.test(file)).sort();
  const areRecordings = await Promise.all(files.map((file) => isRecording(folder, join(folder, file))));
  return files
    .filter((_, index) => areRecordings[index])
    .map((file) => `${modelPrefix}${file.slice(0, -'.jsonl'.length)}`);
}

/** Checks at the start that the folder exists. @throws EmulatorError if it does not */
export async function checkRecordings(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw new EmulatorError(
    'recordings_not_found',
    `The option "recordings" names ${JSON.stringify(folder)}, which is not a folder; give the folder that holds the NAME.jsonl files.`,
  );
}

function unknownRecording(name: string, why: string): Refusal {
  return new Refusal(`There is no recording ${JSON.stringify(name)}: ${why}.`, {
    code: 'model_not_found',
    param: 'model',
  });
}

async function loadResponses(folder: string | undefined, name: string): Promise<readonly RecordedResponse[]> {
  if (folder === undefined) throw unknownRecording(name, 'the emulator was started without a folder of recordings');
  if (!recordingName.test(name)) throw unknownRecording(name, 'a name has letters, digits, ".", "_" and "-" only');
  const file = join(folder, `${name}.jsonl`);
  if (await leadsOut(folder, file)) throw unknownRecording(name, 'its file is a link that leads out of the folder');
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) throw unknownRecording(name, `the folder has no file ${name}.jsonl`);
  if (found.size > maxRecordingBytes) throw unknownRecording(name, `it is larger than ${maxRecordingBytes} bytes`);
  return splitResponses((await readFile(file, 'utf8')).split(/\r?\n/), name);
}

async function isRecording(folder: string, file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() === true && !(await leadsOut(folder, file));
}

/** True for a symbolic link that leads out of the folder, directly or through further links. */
async function leadsOut(folder: string, file: string): Promise<boolean> {
  const [inside, target] = await Promise.all([realpath(folder), realpath(file).catch(() => undefined)]);
  return target !== undefined && !target.startsWith(join(inside, sep));
}

interface Line {
  readonly frame: Frame;
  readonly event: Record<string, unknown>;
}

/** Splits the lines of a recording at each `response.created`. Lines before the first one belong to the first response. */
function splitResponses(lines: readonly string[], name: string): readonly RecordedResponse[] {
  const responses: Line[][] = [];
  for (const [index, text] of lines.entries()) {
    if (text === '') continue;
    const event = parse(text);
    if (event === undefined) throw unknownRecording(name, `line ${index + 1} of its file is not an event`);
    const current = responses.at(-1);
    const begins =
      event['type'] === 'response.created' && current?.some((line) => line.frame.type === 'response.created');
    const line = { frame: { type: String(event['type']), text }, event };
    if (current === undefined || begins === true) responses.push([line]);
    else current.push(line);
  }
  if (responses.length === 0) throw unknownRecording(name, 'its file is empty');
  return responses.map((each) => ({ frames: each.map((line) => line.frame), response: finalResponse(each) }));
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const event: unknown = JSON.parse(text);
    return isRecord(event) && typeof event['type'] === 'string' ? event : undefined;
  } catch {
    return undefined;
  }
}

function finalResponse(lines: readonly Line[]): ResponseObject | undefined {
  const response = lines.findLast((line) => endsResponse(line.frame.type))?.event['response'];
  if (!isRecord(response) || typeof response['id'] !== 'string') return undefined;
  const status = typeof response['status'] === 'string' ? response['status'] : 'completed';
  return { ...response, id: response['id'], status, output: outputOf(response, lines) };
}

/** The output in the terminal event or, if the service leaves that empty, the finished items in their order (P58). */
function outputOf(response: Record<string, unknown>, lines: readonly Line[]): readonly Item[] {
  const { output } = response;
  if (Array.isArray(output) && output.length > 0) return output.filter(isItem);
  return lines
    .filter((line) => line.frame.type === 'response.output_item.done')
    .sort((a, b) => Number(a.event['output_index']) - Number(b.event['output_index']))
    .map((line) => line.event['item'])
    .filter(isItem);
}

/** The index of the last recorded response that the request continues; undefined if it continues none. */
function indexOfContinued(
  responses: readonly RecordedResponse[],
  request: CreateRequest,
  context: Context,
): number | undefined {
  const known = new Set<unknown>(context.items().flatMap((item) => [item['id'], item['call_id']]));
  const index = responses.findLastIndex(
    ({ response }) =>
      response !== undefined &&
      (response.id === request.previous_response_id ||
        response.output.some((item) => isKnown(known, item['id']) || isKnown(known, item['call_id']))),
  );
  return index === -1 ? undefined : index;
}

function isKnown(known: ReadonlySet<unknown>, id: unknown): boolean {
  return typeof id === 'string' && known.has(id);
}
