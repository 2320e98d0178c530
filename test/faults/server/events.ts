/** Events as a server writes them. Plain JSON: the tests share no types with what they test. */
export type Json = Record<string, unknown>;

export function response(id: string, status: string, more: Json = {}): Json {
  return { id, object: 'response', status, model: 'test', output: [], ...more };
}

export function created(id: string, more: Json = {}): Json {
  return { type: 'response.created', sequence_number: 0, response: response(id, 'in_progress', more) };
}

export function completed(id: string, output: Json[] = [], more: Json = {}): Json {
  return { type: 'response.completed', response: response(id, 'completed', { output, ...more }) };
}

export function delta(text: string): Json {
  return { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta: text };
}

export function message(text: string, id = 'msg_1'): Json {
  return { type: 'message', id, role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] };
}

export function functionCall(callId: string): Json {
  return { type: 'function_call', id: `fc_${callId}`, call_id: callId, name: 'tool', arguments: '{}' };
}

/** An answer in one text and one function call, with the moments at which a connection may break. */
export function answer(id: string, text = 'hello'): { events: Json[]; upTo: Record<Moment, number> } {
  const output = [message(text), functionCall('call_1')];
  return {
    events: [
      created(id),
      { type: 'response.in_progress', response: response(id, 'in_progress') },
      { type: 'response.output_item.added', output_index: 0, item: { ...message(''), content: [] } },
      delta(text),
      { type: 'response.output_item.added', output_index: 1, item: functionCall('call_1') },
      { type: 'response.output_item.done', output_index: 1, item: output[1] },
      { type: 'response.output_item.done', output_index: 0, item: output[0] },
      completed(id, output),
    ],
    upTo: { nothing: 0, created: 1, 'in progress': 2, 'a delta': 4, 'a function call': 6, 'all output': 7 },
  };
}

export type Moment = 'nothing' | 'created' | 'in progress' | 'a delta' | 'a function call' | 'all output';

/** The shortest good answer. */
export function reply(id: string, text: string, more: Json = {}): Json[] {
  return [created(id, more), delta(text), completed(id, [message(text)], more)];
}

/** The text of the last user message, however the request spells it. */
export function asked(create: Json): string {
  const { input } = create;
  return typeof input === 'string' ? input : JSON.stringify(input);
}
