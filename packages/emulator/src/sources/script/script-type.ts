import type { FaultRule } from '../../faults/fault-rule.js';

/** JSON as an object. */
export type ScriptJson = Record<string, unknown>;

/**
 * The answers of the emulator, as people write them (in YAML, or as an object).
 *
 * - `rules`: the first rule whose `match` holds answers.
 * - `turns`: a conversation. The n-th entry is the n-th turn of the model in a transcript, whether the transcript came in full or by an id, on
 *   any transport. Nothing is counted per connection, so any number of conversations can run at the same time.
 * - `after`: the answer if no rule and no entry of `turns` fits: `error` (status 400, code `script_exhausted`), `repeat` (the last entry of
 *   `turns` again) or `echo`.
 * - `pace`: the time that answers take. @default the emulator's `latency`
 * - `faults`: what is broken on purpose. A script of faults alone leaves the answers to the recordings and the echo.
 *
 * Texts and arguments may contain templates, `{{ path }}`.
 */
export interface Script {
  pace?: ScriptPace | undefined;
  rules?: ScriptRule[] | undefined;
  turns?: ScriptEntry[] | undefined;
  /** @default 'error' */
  after?: 'error' | 'repeat' | 'echo' | undefined;
  faults?: FaultRule[] | undefined;
}

/** The time that answers take: the fields of the emulator's `latency`, in the spelling of a script. */
export interface ScriptPace {
  /** Milliseconds from the request to the first item. */
  first_token_ms?: number | undefined;
  /** Deltas a second; a delta is a word or less. */
  tokens_per_second?: number | undefined;
  /** Milliseconds before the first item for every 1,000 input tokens that are not cached. */
  ms_per_1000_uncached_tokens?: number | undefined;
  /** The largest random change of each wait, as a part of the wait from 0 to 1. */
  jitter?: number | undefined;
}

/** An answer to the requests that match. */
export interface ScriptRule {
  /** The conditions of the rule, all of which must hold. */
  match: {
    /** A text to be found in the model's name, or a regular expression written `/…/flags`. */
    model?: string | undefined;
    /** The same for the user messages and tool outputs that the model has not answered yet. */
    input?: string | undefined;
    /** The number of the turn, from 1. */
    turn?: number | undefined;
  };
  reply: ScriptEntry;
}

/** A message of the model. */
export interface ScriptMessage {
  text?: string | undefined;
  refusal?: string | undefined;
  /** The sources that the text quotes. */
  annotations?: ScriptAnnotation[] | undefined;
  /** The purpose of the message. */
  phase?: 'commentary' | 'final_answer' | undefined;
}

/**
 * One answer. It has `reasoning`, `text` (with `annotations` and `phase`), `refusal` and `calls`, any of them together and in this order; or
 * `output`, a list of items in any order. The response is completed unless `incomplete` or `fail` ends it; `error` answers instead of a response.
 *
 * An `error` or `fail` among `turns` answers the first `times` (default 1) requests with one and the same transcript. The next such request gets
 * the entry after it, and the count begins anew. In a rule, `error` and `fail` answer every time, or the first `times`.
 */
export interface ScriptEntry extends ScriptMessage {
  /** A summary of the reasoning, or its parts. */
  reasoning?: string | string[] | undefined;
  calls?: ScriptCall[] | undefined;
  output?: ScriptItem[] | undefined;
  incomplete?: 'max_output_tokens' | 'max_messages' | 'content_filter' | undefined;
  /** Ends the response with `response.failed`, after the other items. */
  fail?: { code: string; message: string; times?: number | undefined } | undefined;
  /** Answers with an error: an HTTP status, or an error frame on a socket. */
  error?:
    | {
        status: number;
        code?: string | undefined;
        type?: string | undefined;
        message?: string | undefined;
        param?: string | undefined;
        headers?: Record<string, string> | undefined;
        times?: number | undefined;
      }
    | undefined;
  pace?: ScriptPace | undefined;
}

/** The call of a function (`arguments`) or of a custom tool (`input`). */
export interface ScriptCall {
  name: string;
  /** A name under which later templates find the output of this call. */
  as?: string | undefined;
  /** The arguments: an object, or the text that the model writes, valid JSON or not. @default {} */
  arguments?: ScriptJson | string | undefined;
  /** The free text for a custom tool. */
  input?: string | undefined;
}

/** One item of `output`: `reasoning` (or `reasoning_text`), `text` or `refusal`, `call`, or `tool`. */
export interface ScriptItem extends ScriptMessage {
  reasoning?: string | string[] | undefined;
  /** The text of the reasoning itself, which some models show. */
  reasoning_text?: string | undefined;
  call?: ScriptCall | undefined;
  tool?: ScriptTool | undefined;
}

/** An annotation of a text, with the API's own fields. Without indices it spans the whole text. */
export type ScriptAnnotation =
  | {
      type: 'url_citation';
      url: string;
      title?: string | undefined;
      start_index?: number | undefined;
      end_index?: number | undefined;
    }
  | { type: 'file_citation'; file_id: string; filename: string; index?: number | undefined }
  | {
      type: 'container_file_citation';
      container_id: string;
      file_id: string;
      filename: string;
      start_index?: number | undefined;
      end_index?: number | undefined;
    }
  | { type: 'file_path'; file_id: string; index?: number | undefined };

/**
 * An item of a tool that the service knows by name, with the API's own fields. The emulator makes up ids, `status`, `call_id` and other fields
 * that are left out.
 */
export type ScriptTool =
  | { type: 'web_search_call'; action: ScriptSearch }
  /** `results` are sent only if the request includes `file_search_call.results`. */
  | { type: 'file_search_call'; queries: string[]; results?: ScriptJson[] | undefined }
  | {
      type: 'code_interpreter_call';
      code: string;
      container_id?: string | undefined;
      /** The outputs, which are sent only if the request includes `code_interpreter_call.outputs`. */
      outputs?: ({ type: 'logs'; logs: string } | { type: 'image'; url: string })[] | undefined;
    }
  | {
      type: 'image_generation_call';
      /** The image in base64. */
      result: string;
      /** Previews in base64, each an event before the result. */
      partial_images?: string[] | undefined;
      background?: string | undefined;
      output_format?: string | undefined;
      quality?: string | undefined;
      size?: string | undefined;
      revised_prompt?: string | undefined;
    }
  | {
      type: 'mcp_list_tools';
      server_label: string;
      tools?:
        | {
            name: string;
            description?: string | null | undefined;
            input_schema?: ScriptJson | undefined;
            annotations?: ScriptJson | null | undefined;
          }[]
        | undefined;
      error?: string | undefined;
    }
  | {
      type: 'mcp_call';
      server_label: string;
      name: string;
      arguments?: ScriptJson | string | undefined;
      output?: string | undefined;
      /** The error with which the tool failed. */
      error?: string | undefined;
      approval_request_id?: string | undefined;
    }
  | {
      type: 'mcp_approval_request';
      server_label: string;
      name: string;
      arguments?: ScriptJson | string | undefined;
    }
  | {
      type: 'shell_call';
      as?: string | undefined;
      call_id?: string | undefined;
      commands: string[];
      /** The container of a hosted shell. Without it, the client runs the commands. */
      container_id?: string | undefined;
      timeout_ms?: number | null | undefined;
      max_output_length?: number | null | undefined;
    }
  | {
      type: 'shell_call_output';
      /** The id of the call. @default that of the `shell_call` before the item */
      call_id?: string | undefined;
      output: { stdout?: string | undefined; stderr?: string | undefined; exit_code?: number | undefined }[];
    }
  | {
      type: 'apply_patch_call';
      as?: string | undefined;
      call_id?: string | undefined;
      operation:
        | { type: 'create_file'; path: string; diff: string }
        | { type: 'update_file'; path: string; diff: string }
        | { type: 'delete_file'; path: string };
    }
  | {
      type: 'computer_call';
      as?: string | undefined;
      call_id?: string | undefined;
      actions: ScriptComputerAction[];
      pending_safety_checks?: { id: string; code?: string | undefined; message?: string | undefined }[] | undefined;
    }
  | {
      type: 'tool_search_call';
      call_id?: string | undefined;
      arguments?: ScriptJson | undefined;
      execution?: 'server' | 'client' | undefined;
    }
  | { type: 'tool_search_output'; tools: ScriptJson[]; execution?: 'server' | 'client' | undefined }
  | { type: 'compaction' };

export type ScriptSearch =
  | {
      type: 'search';
      query?: string | undefined;
      queries?: string[] | undefined;
      sources?: { type?: 'url' | undefined; url: string }[] | undefined;
    }
  | { type: 'open_page'; url?: string | undefined }
  | { type: 'find_in_page'; url: string; pattern: string };

export type ScriptComputerAction =
  | { type: 'click'; button: 'left' | 'right' | 'wheel' | 'back' | 'forward'; x: number; y: number }
  | { type: 'double_click'; keys?: string[] | null | undefined; x: number; y: number }
  | { type: 'drag'; path: { x: number; y: number }[] }
  | { type: 'keypress'; keys: string[] }
  | { type: 'move'; x: number; y: number }
  | { type: 'screenshot' }
  | { type: 'scroll'; scroll_x: number; scroll_y: number; x: number; y: number }
  | { type: 'type'; text: string }
  | { type: 'wait' };
