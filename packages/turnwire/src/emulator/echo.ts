import type { Answer, Question } from './answer.js';
import { echoInFormat } from './structured.js';
import { unansweredText } from './transcript.js';

/** The last source: repeats, word for word, what the model has not answered yet (user text or tool outputs). */
export function echo({ request, transcript }: Question): Answer {
  const text = unansweredText(transcript) || 'There is no text to repeat.';
  return {
    kind: 'reply',
    reply: { output: [{ kind: 'message', text: echoInFormat(text, request) }], ending: { kind: 'completed' } },
  };
}
