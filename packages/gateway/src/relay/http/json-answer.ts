import { setHeaders, turnHeaders } from './answer-headers.js';
import { answerWhole } from './event-stream.js';
import { refusalAnswer } from '../failure.js';
import type { ServerResponse } from 'node:http';
import type { GatewayTurn } from '../turn.js';

/** Answers with one JSON text: the final response, or the upstream's own answer where HTTP carried the turn. */
export async function answerWithJson(turn: GatewayTurn, response: ServerResponse): Promise<void> {
  response.once('close', () => turn.cancel());
  const answer = await turn.answer();
  const more = turnHeaders(turn.report);
  if (answer.name === 'answered') {
    if (answer.status === 204 || answer.status === 205) {
      setHeaders(response, { ...answer.headers, ...more });
      response.writeHead(answer.status).end();
      return;
    }
    return answerWhole(response, answer, more);
  }
  if (answer.name === 'broken_off')
    return answerWhole(
      response,
      // The turn has run, so the status is one after which SDKs do not call again.
      { status: 400, headers: { 'content-type': 'application/json', 'x-should-retry': 'false' }, body: answer.body },
      more,
    );
  answerWhole(response, refusalAnswer(answer), more);
}
