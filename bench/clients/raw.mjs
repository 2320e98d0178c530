// Turns over a WebSocket whose user does everything by hand: JSON.parse, the id of the last response, the result of its call.
export function conversationOn(send, on) {
  let turn;
  let last;
  on.message((text) => turn.onEvent(JSON.parse(text)));
  on.close(() => turn?.reject(new Error('the connection closed')));
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
      send(JSON.stringify({ type: 'response.create', ...request }));
    });
  return {
    once: (model, onEvent) => run({ model, input: 'Hi' }, onEvent),
    next: (model, text, onEvent) => run({ model, ...continued(last, text) }, onEvent),
  };
}

/** The request of the next turn, chained by hand. */
export function continued(last, text) {
  if (last === undefined) return { input: text };
  const call = last.output.find(({ type }) => type === 'function_call');
  return {
    previous_response_id: last.id,
    input: [{ type: 'function_call_output', call_id: call.call_id, output: text }],
  };
}

/** Appends what the next turn of a full history has more than the last one. */
export function extend(history, last, text) {
  if (last === undefined) {
    history.push({ role: 'user', content: text });
    return;
  }
  history.push(...last.output);
  const call = last.output.find(({ type }) => type === 'function_call');
  history.push({ type: 'function_call_output', call_id: call.call_id, output: text });
}
