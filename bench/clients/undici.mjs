// undici's WebSocket, as the global one of Node 22 is, and one JSON.parse for each event, chained by hand.
import { WebSocket } from 'undici';
import { conversationOn } from './raw.mjs';

export const open = ({ url }) => ({
  async conversation() {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/responses`, {
      headers: { authorization: 'Bearer bench' },
    });
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', () => reject(new Error('the WebSocket could not be opened')), { once: true });
    });
    return conversationOn((text) => socket.send(text), {
      message: (listener) => socket.addEventListener('message', ({ data }) => listener(data)),
      close: (listener) => socket.addEventListener('close', listener),
    });
  },
  close() {},
});
