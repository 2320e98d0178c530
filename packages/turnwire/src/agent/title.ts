import type { Model } from '../config/models/model.js';
import { askSeparately } from './conversation/compact.js';
import { summaryOf } from './conversation/compaction.js';
import type { Conversation } from './conversation/conversation.js';
import type { AgentEvent } from './events.js';
import { transcriptOf } from './sessions/transcript.js';
import { firstCharacters } from './base/well-formed.js';

const instructions =
  'You give a conversation between a user and an agent a title of at most six words, in the language of the user. Answer with the title alone, without quotes.';
/** The part of the conversation that a title is made of, in characters: its subject is said at the beginning. */
const longestBeginning = 4000;
const longestTitle = 80;

/** A title for a conversation, made of its beginning; empty where the model gives none. */
export async function* titleOf(
  conversation: Conversation,
  model: Model,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, string> {
  const beginning = firstCharacters(transcriptOf(conversation.history.items).join('\n\n'), longestBeginning);
  const request = [
    { type: 'message' as const, role: 'user' as const, content: `Give this conversation a title.\n\n${beginning}` },
  ];
  const response = yield* askSeparately(conversation, model, { instructions, request, signal });
  return firstCharacters(
    summaryOf(response)
      .replace(/\s+/g, ' ')
      .replace(/^["']+|["'.]+$/g, ''),
    longestTitle,
  );
}
