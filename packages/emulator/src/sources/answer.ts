import type { Context } from '../memory/context.js';
import type { Annotation, ToolItem } from './tool-schema.js';
import type { CreateRequest } from '../request/request.js';
import type { Pace } from './script/script.js';
import type { Frame, ResponseObject } from '../wire/wire.js';

/** What a turn asks of a source: the request, and the context that the server made of it. */
export interface Question {
  readonly request: CreateRequest;
  readonly context: Context;
  /** The key under which recordings count the turns that bring no history: the lane of a socket, or the engine for HTTP. */
  readonly counterKey: object;
}

/** One item of a reply, which becomes one output item. */
export type ReplyItem =
  | { readonly kind: 'reasoning'; readonly summary: readonly string[]; readonly content?: string | undefined }
  | {
      readonly kind: 'message';
      readonly text?: string | undefined;
      readonly refusal?: string | undefined;
      readonly annotations?: readonly Annotation[] | undefined;
      readonly phase?: 'commentary' | 'final_answer' | undefined;
    }
  /** `arguments` is the JSON that the model writes. A script may make it invalid on purpose. */
  | { readonly kind: 'function_call'; readonly name: string; readonly arguments: string }
  | { readonly kind: 'custom_tool_call'; readonly name: string; readonly input: string }
  /** An item of a tool that the service knows by name, with the API's own fields. */
  | { readonly kind: 'tool'; readonly item: ToolItem };

type ReplyEnd =
  | { readonly kind: 'completed' }
  | { readonly kind: 'incomplete'; readonly reason: string }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** What the model writes in one turn, and how the turn ends. The emulator makes the events of it. */
export interface Reply {
  readonly output: readonly ReplyItem[];
  readonly end: ReplyEnd;
}

/** The events of one recorded response, and the response in which they end; undefined if the recording breaks off before. */
export interface RecordedResponse {
  readonly frames: readonly Frame[];
  readonly response: ResponseObject | undefined;
}

export type Answer =
  | {
      readonly kind: 'reply';
      readonly reply: Reply;
      readonly pace?: Pace | undefined;
      /** The place of the answer in the script, for errors. */
      readonly place?: string | undefined;
    }
  | { readonly kind: 'recorded'; readonly recorded: RecordedResponse };

/** A source of answers. It returns undefined to leave the question to the next source, and throws a `Refusal` to answer with an error. */
export type Source = (question: Question) => Answer | undefined | Promise<Answer | undefined>;
