import type { CreateRequest } from './request.js';
import type { Pace } from './script.js';
import type { Transcript } from './transcript.js';
import type { Frame, ResponseObject } from './wire.js';

/** What a turn asks, with the context the server made of it. */
export interface Question {
  readonly request: CreateRequest;
  readonly transcript: Transcript;
  /** Where turns without a history are counted: the socket they came on, or the emulator for HTTP. */
  readonly place: object;
}

export interface Call {
  readonly name: string;
  /** JSON as the model writes it; a script may make it invalid on purpose. */
  readonly arguments: string;
}

type Ending =
  | { readonly kind: 'completed' }
  | { readonly kind: 'incomplete'; readonly reason: string }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** What the model says in one turn; the emulator makes the events of it. */
export interface Reply {
  readonly reasoning?: string | undefined;
  readonly text?: string | undefined;
  readonly refusal?: string | undefined;
  readonly calls: readonly Call[];
  readonly ending: Ending;
}

/** The events of one recorded response, and the response they end in (undefined if the recording breaks off before). */
export interface RecordedResponse {
  readonly frames: readonly Frame[];
  readonly response: ResponseObject | undefined;
}

export type Answer =
  | { readonly kind: 'reply'; readonly reply: Reply; readonly pace?: Pace | undefined }
  | { readonly kind: 'recorded'; readonly recorded: RecordedResponse };

/** A source of answers. Undefined leaves the question to the next source; a `Refusal` thrown answers with an error. */
export type Source = (question: Question) => Answer | undefined | Promise<Answer | undefined>;
