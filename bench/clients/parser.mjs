// SSE by hand: Node's fetch, eventsource-parser, and one JSON.parse for each event; the full history each time.
import { createParser } from 'eventsource-parser';
import { extend } from './raw.mjs';

export const open = ({ url }) => ({
  async conversation() {
    const history = [];
    let last;
    const run = async (request, onEvent) => {
      const response = await fetch(`${url}/responses`, {
        method: 'POST',
        headers: { authorization: 'Bearer bench', 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ ...request, stream: true }),
      });
      let events = 0;
      const parser = createParser({
        onEvent: ({ data }) => {
          const event = JSON.parse(data);
          events += 1;
          onEvent();
          if (event.type === 'response.completed') last = event.response;
        },
      });
      const decoder = new TextDecoder();
      for await (const chunk of response.body) parser.feed(decoder.decode(chunk, { stream: true }));
      return events;
    };
    return {
      once: (model, onEvent) => run({ model, input: 'Hi' }, onEvent),
      next: (model, text, onEvent) => {
        extend(history, last, text);
        return run({ model, input: history }, onEvent);
      },
    };
  },
  close() {},
});
