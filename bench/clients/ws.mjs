// The reference: the `ws` library and one JSON.parse for each event, chained by hand.
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { conversationOn } from './raw.mjs';

export const open = ({ url }) => ({
  async conversation() {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/responses`, {
      headers: { authorization: 'Bearer bench' },
      perMessageDeflate: false,
    });
    await once(socket, 'open');
    return conversationOn((text) => socket.send(text), {
      message: (listener) => socket.on('message', (/** @type {Buffer} */ message) => listener(message.toString())),
      close: (listener) => socket.on('close', listener),
    });
  },
  close() {},
});
