// The lower bound for the cost of a client: a socket, frames cut by hand, one JSON.parse for each frame, and no checks.
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

export const open = (target) => ({
  conversation: () => dial(target, cutAndParse),
  close() {},
});

/** Cheaper still: parses nothing, and only looks for the end of the answer in the last bytes of each chunk. It measures the server and the kernel. */
export const openSink = (target) => ({
  conversation: () => dial(target, count),
  close() {},
});

async function dial({ url }, reader) {
  const { protocol, hostname, port, pathname } = new URL(`${url}/responses`);
  const socket = (protocol === 'https:' ? connectTls : connect)({ host: hostname, port: Number(port) });
  socket.setNoDelay(true);
  const key = Buffer.from('the bench of turn').subarray(0, 16).toString('base64');
  await new Promise((resolve, reject) => {
    socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
  });
  socket.write(
    `GET ${pathname} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
      `sec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`,
  );
  await new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('data', (head) =>
      String(head).startsWith('HTTP/1.1 101') ? resolve() : reject(new Error(String(head))),
    );
  });
  let turn;
  socket.on(
    'data',
    reader((event) => turn.onEvent(event)),
  );
  socket.on('error', (error) => turn?.reject(error));
  socket.on('close', () => turn?.reject(new Error('the connection closed')));
  let last;
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
          resolve(event.events ?? events);
        },
      };
      socket.write(masked(JSON.stringify({ type: 'response.create', ...request })));
    });
  return {
    once: (model, onEvent) => run({ model, input: 'Hi' }, onEvent),
    next: (model, text, onEvent) => run({ model, ...continued(last, text) }, onEvent),
  };
}

function continued(last, text) {
  if (last === undefined) return { input: text };
  const [call] = last.output;
  return {
    previous_response_id: last.id,
    input: [{ type: 'function_call_output', call_id: call.call_id, output: text }],
  };
}

/** A frame with a mask of zeros, which leaves the payload unchanged. */
function masked(text) {
  const payload = Buffer.from(text);
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14);
  head[0] = 0x81;
  if (length < 126) head[1] = 0x80 | length;
  else if (length < 65_536) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

function cutAndParse(onEvent) {
  let rest;
  return (chunk) => {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    rest = undefined;
    let at = 0;
    for (;;) {
      const left = bytes.length - at;
      if (left < 2) break;
      let length = bytes[at + 1] & 0x7f;
      let head = 2;
      if (length === 126) {
        if (left < 4) break;
        length = bytes.readUInt16BE(at + 2);
        head = 4;
      } else if (length === 127) {
        if (left < 10) break;
        length = Number(bytes.readBigUInt64BE(at + 2));
        head = 10;
      }
      if (left < head + length) break;
      onEvent(JSON.parse(bytes.toString('utf8', at + head, at + head + length)));
      at += head + length;
    }
    if (at < bytes.length) rest = bytes.subarray(at);
  };
}

/** Finds the end of an answer by the usage of its response. The number of events is not counted, and reported as sufficient. */
function count(onEvent) {
  let tail = '';
  return (chunk) => {
    tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - 64))).slice(-64);
    const done = tail.includes('"total_tokens":200}');
    if (done) tail = '';
    onEvent(done ? { type: 'response.completed', response: undefined, events: Infinity } : {});
  };
}
