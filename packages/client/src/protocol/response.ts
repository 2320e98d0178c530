import type { Item } from './items.js';

/** What a turn cost, as the provider counts it. */
export interface Usage {
  input_tokens: number;
  output_tokens: number;
  total_tokens: number;
  input_tokens_details?: { cached_tokens?: number; [field: string]: unknown };
  output_tokens_details?: { reasoning_tokens?: number; [field: string]: unknown };
  [field: string]: unknown;
}

/** The response object; fields that are not named here pass through untouched. */
export interface Response {
  id: string;
  object: 'response';
  status: 'completed' | 'failed' | 'in_progress' | 'cancelled' | 'queued' | 'incomplete';
  model: string;
  output: Item[];
  error?: { code: string; message: string } | null;
  incomplete_details?: { reason?: string } | null;
  previous_response_id?: string | null;
  usage?: Usage | null;
  [field: string]: unknown;
}
