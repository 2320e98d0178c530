// The openai SDK: over SSE with the full history each time, and with its WebSocket class, which its user chains by hand.
import OpenAI from 'openai';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { turnwireFetch } from './turnwire-fetch.mjs';
import { continued, extend } from './raw.mjs';

const clientOf = (url, more = {}) => new OpenAI({ baseURL: url, apiKey: 'bench', maxRetries: 0, ...more });

export const openSse = ({ url }) => overSse(clientOf(url), create);

export const openStream = ({ url }) =>
  overSse(clientOf(url), async (client, request, onEvent) => {
    const stream = client.responses.stream(request);
    let events = 0;
    for await (const _event of stream) {
      events += 1;
      onEvent();
    }
    return { events, response: await stream.finalResponse() };
  });

export async function openOnFetch({ url, conversations }) {
  const fetch = turnwireFetch({ conversations });
  return { ...overSse(clientOf(url, { fetch }), create), close: () => fetch.close() };
}

async function create(client, request, onEvent) {
  let events = 0;
  let response;
  for await (const event of await client.responses.create({ ...request, stream: true })) {
    events += 1;
    onEvent();
    if (event.type === 'response.completed') ({ response } = event);
  }
  return { events, response };
}

function overSse(client, turn) {
  return {
    async conversation() {
      const history = [];
      let last;
      return {
        once: async (model, onEvent) => (await turn(client, { model, input: 'Hi' }, onEvent)).events,
        next: async (model, text, onEvent) => {
          extend(history, last, text);
          const { events, response } = await turn(client, { model, input: history }, onEvent);
          last = response;
          return events;
        },
      };
    },
    close() {},
  };
}

export const openWebSocket = ({ url }) => ({
  async conversation() {
    const socket = new ResponsesWS(clientOf(url));
    await new Promise((resolve, reject) => {
      socket.on('error', reject);
      // The class has no event for an open socket: requests that are sent before are queued.
      socket.socket.once('open', resolve);
    });
    let turn;
    let last;
    socket.on('event', (event) => turn.onEvent(event));
    socket.on('error', (error) => turn?.reject(error));
    const run = (request, onEvent) =>
      new Promise((resolve, reject) => {
        let events = 0;
        turn = {
          reject,
          onEvent: (event) => {
            events += 1;
            onEvent();
            if (event.type !== 'response.completed') return;
            last = event.response;
            resolve(events);
          },
        };
        socket.send({ type: 'response.create', ...request });
      });
    return {
      once: (model, onEvent) => run({ model, input: 'Hi' }, onEvent),
      next: (model, text, onEvent) => run({ model, ...continued(last, text) }, onEvent),
    };
  },
  close() {},
});
