// turnwire's client over both transports: the full history is handed over each time, and the client decides how much of it is sent.
import { createClient } from '@turnwire/client';
import { turnwireFetch } from './turnwire-fetch.mjs';
import { extend } from './raw.mjs';

export const openWebSocket = (target) => open(target, 'websocket');
export const openSse = (target) => open(target, 'sse');

function open({ url, conversations }, transport) {
  const client = createClient({
    baseUrl: url,
    apiKey: 'bench',
    transport,
    pool: { maxConnections: conversations },
  });
  const run = async (request, onEvent) => {
    const turn = client.turn(request);
    let events = 0;
    let response;
    for await (const event of turn) {
      events += 1;
      onEvent();
      if (event.type === 'response.completed') ({ response } = event);
    }
    return { events, response };
  };
  return {
    async conversation() {
      const history = [];
      let last;
      return {
        once: async (model, onEvent) => (await run({ model, input: 'Hi' }, onEvent)).events,
        next: async (model, text, onEvent) => {
          extend(history, last, text);
          // The history is copied, because this loop appends to its own list.
          const { events, response } = await run({ model, input: [...history] }, onEvent);
          last = response;
          return events;
        },
      };
    },
    bare: {
      prepare: (request) => request,
      run: async (request) => {
        const { id, output } = await client.turn(request).response();
        return { id, output };
      },
      yardstick: (request) => JSON.stringify(request.input),
    },
    close: () => client.destroy(),
  };
}

/** The fetch as SDKs call it: with a body that is a string already. */
export async function openFetch(target) {
  const fetch = turnwireFetch(target);
  return {
    conversation: () => Promise.reject(new Error('the bare fetch has no conversations')),
    bare: {
      prepare: (request) => JSON.stringify({ ...request, stream: false }),
      run: async (body) => {
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(`${target.url}/responses`, { method: 'POST', headers, body });
        const { id, output } = await answer.json();
        return { id, output };
      },
      yardstick: (body) => JSON.parse(body),
    },
    close: () => fetch.close(),
  };
}
