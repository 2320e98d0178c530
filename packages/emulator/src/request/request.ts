import { z } from 'zod';
import type { Incremental } from '../base/incremental.js';
import type { Protocol } from '../wire/dialect.js';
import { Refusal } from '../wire/refusal.js';
import { refusalOfIssue } from './schema-refusal.js';
import { createFields, type CreateFields } from './fields.js';
import { itemsOf } from './items.js';
import { textFormatOf, type TextFormat } from './text-format.js';
import { checkTools } from './tools.js';
import { isRecord, type Item } from '../wire/wire.js';

/** A checked create. `items` is its input as a list. Every other field is as received, except that `null` counts as missing. */
export type CreateRequest = Readonly<CreateFields> & {
  readonly items: readonly Item[];
  /** The id of the conversation, whether the request has the id itself or an object with it. */
  readonly conversationId: string | undefined;
  /** The checked format of the output text. */
  readonly format: TextFormat;
};

/** Checks the body of a create as the API does. @throws Refusal for the first problem, with its `param` */
export function* parseCreate(body: unknown, protocol: Protocol): Incremental<CreateRequest> {
  if (!isRecord(body)) throw new Refusal('The request body must be a JSON object.', { code: 'invalid_type' });
  refuseForeignFields(body, protocol);
  const request = checkedFields(body);
  const { previous_response_id, conversation } = request;
  if (previous_response_id !== undefined && conversation !== undefined) {
    throw new Refusal(
      "Mutually exclusive parameters: 'previous_response_id' and 'conversation' cannot be used together.",
      { code: 'mutually_exclusive_parameters', param: 'previous_response_id' },
    );
  }
  if (request.input === undefined && previous_response_id === undefined && request.prompt === undefined) {
    throw new Refusal("Missing required parameter: 'input'.", { code: 'missing_required_parameter', param: 'input' });
  }
  const items = yield* itemsOf(request.input ?? []);
  checkTools(request, items);
  const format = textFormatOf(request);
  if (request.background === true && request.store === false) {
    throw new Refusal("Background mode requires 'store' to be true.", { param: 'store' });
  }
  return { ...request, conversationId: conversationIdOf(conversation), items, format };
}

const fieldSchemas = Object.entries(createFields.shape);

/** The fields of a body, each checked on its own: most requests have few of the many fields. */
function checkedFields(body: Record<string, unknown>): CreateFields {
  const fields: Record<string, unknown> = { ...body };
  for (const [name, schema] of fieldSchemas) {
    if (!(name in body) && name !== 'model') continue;
    const checked = schema.safeParse(body[name]);
    if (!checked.success) throw refusalOfIssue(checked.error.issues[0], [name], body[name]);
    fields[name] = checked.data;
  }
  return fields as CreateFields;
}

function refuseForeignFields(body: Record<string, unknown>, protocol: Protocol): void {
  if (protocol === 'websocket' && body['background'] === true) {
    throw unsupported('background', 'leave it out, and read the response while it is made');
  }
  if (protocol === 'http') {
    for (const param of ['type', 'generate', 'stream_id']) {
      if (!isGiven(body[param])) continue;
      throw new Refusal(`Unknown parameter: '${param}'.`, { code: 'unknown_parameter', param });
    }
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function unsupported(param: string, advice: string): Refusal {
  return new Refusal(`Unsupported parameter: '${param}'; ${advice}.`, { code: 'unsupported_parameter', param });
}

const withId = z.looseObject({ id: z.string().min(1) });

export function conversationIdOf(conversation: CreateFields['conversation']): string | undefined {
  if (conversation === undefined || typeof conversation === 'string') return conversation;
  const checked = withId.safeParse(conversation);
  if (!checked.success) throw refusalOfIssue(checked.error.issues[0], ['conversation'], conversation);
  return checked.data.id;
}
