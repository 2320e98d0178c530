/** A response, as its client has it. */
export interface Answered {
  id: string;
  output: object[];
}

/** `not_found`: the id that the request continues is not known, and its client asks again in full. */
export type Outcome = Answered | 'failed' | 'not_found';

/** Asks over HTTP, within 10 s. */
export async function ask(base: string, key: string, body: { stream: boolean }): Promise<Outcome> {
  try {
    const response = await fetch(`${base}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    if (!response.ok) return text.includes('previous_response_not_found') ? 'not_found' : 'failed';
    if (!body.stream) return JSON.parse(text) as Answered;
    const [, data] = /event: response\.completed\ndata: (.*)\n/.exec(text) ?? [];
    return data === undefined ? 'failed' : (JSON.parse(data) as { response: Answered }).response;
  } catch {
    return 'failed';
  }
}
