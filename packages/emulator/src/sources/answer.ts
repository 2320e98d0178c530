import type { Context } from '../memory/context.js';
import type { Annotation, ToolItem } from './tool-schema.js';
import type { CreateRequest } from '../request/request.js';
import type { Pace } from './script/script.js';
import type { Frame, ResponseObject } from '../wire/wire.js';

/** What a turn asks, with the context the server made of it. */
export interface Question {
  readonly request: CreateRequest;
  readonly context: Context;
  /** Where turns without a history are counted: the socket they came on, or the emulator for HTTP. */
  readonly counterKey: object;
}

/** One thing the model says; each becomes one output item. */
export type ReplyItem =
  | { readonly kind: 'reasoning'; readonly summary: readonly string[]; readonly content?: string | undefined }
  | {
      readonly kind: 'message';
      readonly text?: string | undefined;
      readonly refusal?: string | undefined;
      readonly annotations?: readonly Annotation[] | undefined;
      readonly phase?: 'commentary' | 'final_answer' | undefined;
    }
  /** `arguments` is JSON as the model writes it; a script may make it invalid on purpose. */
  | { readonly kind: 'function_call'; readonly name: string; readonly arguments: string }
  | { readonly kind: 'custom_tool_call'; readonly name: string; readonly input: string }
  /** The call of a tool that the service has a name for, in the words of the API. */
  | { readonly kind: 'tool'; readonly item: ToolItem };

type ReplyEnd =
  | { readonly kind: 'completed' }
  | { readonly kind: 'incomplete'; readonly reason: string }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** What the model says in one turn; the emulator makes the events of it. */
export interface Reply {
  readonly output: readonly ReplyItem[];
  readonly end: ReplyEnd;
}

/** The events of one recorded response, and the response they end in (undefined if the recording breaks off before). */
export interface RecordedResponse {
  readonly frames: readonly Frame[];
  readonly response: ResponseObject | undefined;
}

export type Answer =
  | {
      readonly kind: 'reply';
      readonly reply: Reply;
      readonly pace?: Pace | undefined;
      /** Where it stands in the script. */
      readonly place?: string | undefined;
    }
  | { readonly kind: 'recorded'; readonly recorded: RecordedResponse };

/** A source of answers. Undefined leaves the question to the next source; a `Refusal` thrown answers with an error. */
export type Source = (question: Question) => Answer | undefined | Promise<Answer | undefined>;
