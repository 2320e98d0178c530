/**
 * Input and output items of a response, as far as the engine and its users name their fields. Everything else an item carries
 * passes through untouched; the index signatures say so. Items of types that are not listed here pass as well: at run time
 * `item.type` may be any string. Source: the service's reference; OpenResponses 2026-04-24.
 */
export type Item = MessageItem | FunctionCallItem | CustomToolCallItem | ReasoningItem | HostedItem;

/** What a caller may put into `input`: any item, the outputs of its tools, and the short form of a message. */
export type InputItem = Item | FunctionCallOutputItem | CustomToolCallOutputItem | ItemReference | EasyMessage;

/**
 * An item as another package declares it: `OpenAI.Responses.ResponseInputItem`, for one. Such types have no index signature, so none of the
 * above takes them; here their name is enough.
 */
export interface ForeignItem {
  readonly type?: string | null;
}

export interface MessageItem {
  type: 'message';
  id?: string;
  role: 'user' | 'assistant' | 'system' | 'developer';
  status?: string;
  content: ContentPart[];
  [field: string]: unknown;
}

/** A message without `type`; `content` may be a plain string. */
export interface EasyMessage {
  type?: 'message';
  role: 'user' | 'assistant' | 'system' | 'developer';
  content: string | ContentPart[];
  [field: string]: unknown;
}

export interface ContentPart {
  /** `input_text`, `input_image`, `input_file`, `output_text`, `refusal`, … */
  type: string;
  text?: string;
  [field: string]: unknown;
}

export interface FunctionCallItem {
  type: 'function_call';
  id?: string;
  call_id: string;
  name: string;
  /** JSON, as the model wrote it: it may be invalid. */
  arguments: string;
  status?: string;
  [field: string]: unknown;
}

export interface FunctionCallOutputItem {
  type: 'function_call_output';
  id?: string;
  call_id: string;
  output: string | ContentPart[];
  [field: string]: unknown;
}

export interface CustomToolCallItem {
  type: 'custom_tool_call';
  id?: string;
  call_id: string;
  name: string;
  input: string;
  [field: string]: unknown;
}

export interface CustomToolCallOutputItem {
  type: 'custom_tool_call_output';
  call_id: string;
  output: string | ContentPart[];
  [field: string]: unknown;
}

export interface ReasoningItem {
  type: 'reasoning';
  id?: string;
  summary: ContentPart[];
  encrypted_content?: string | null;
  [field: string]: unknown;
}

export interface ItemReference {
  type: 'item_reference';
  id: string;
}

/** Items that the provider makes and runs itself, or that only pass through. */
export interface HostedItem {
  type:
    | 'apply_patch_call'
    | 'apply_patch_call_output'
    | 'code_interpreter_call'
    | 'compaction'
    | 'computer_call'
    | 'computer_call_output'
    | 'file_search_call'
    | 'image_generation_call'
    | 'local_shell_call'
    | 'local_shell_call_output'
    | 'mcp_approval_request'
    | 'mcp_approval_response'
    | 'mcp_call'
    | 'mcp_list_tools'
    | 'shell_call'
    | 'shell_call_output'
    | 'tool_search_call'
    | 'tool_search_output'
    | 'web_search_call';
  id?: string;
  [field: string]: unknown;
}
