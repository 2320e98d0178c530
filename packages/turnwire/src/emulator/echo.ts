import type { Answer, Question } from './answer.js';
import { unansweredText } from './transcript.js';

/** The last source: repeats, word for word, what the model has not answered yet (user text or tool outputs). */
export function echo({ transcript }: Question): Answer {
  const text = unansweredText(transcript) || 'There is no text to repeat.';
  return { kind: 'reply', reply: { text, calls: [], ending: { kind: 'completed' } } };
}
