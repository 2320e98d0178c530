#!/usr/bin/env bash
# haproxy 2.6.12 and Apache 2.4.71 (Debian 12), as they come: a client that leaves before the headers of its answer is not noticed, and the turn goes on.
#
# A turn without streaming has no headers before its end, a streamed one none before its server has something to say. A client that gives up meanwhile
# (a user, a time limit) ends the turn at a server that it speaks to, and at one behind nginx, squid or Caddy. haproxy waits for the server's answer unless
# it has "option abortonclose", and Apache waits too. The model goes on, is paid, and the client has asked again.
#
# Seen, a client that leaves a POST; what the server behind has seen:
#   nginx: in the stream left, before the headers left
#   haproxy: in the stream left, before the headers ran to the end
#   haproxy with option abortonclose: in the stream left, before the headers left
#   apache: in the stream left, before the headers ran to the end
#   caddy: in the stream left, before the headers left
set -euo pipefail
for package in nginx=1.22.1 haproxy=2.6.12 apache2=2.4.71 caddy=2.6.2; do
  version=$(dpkg-query --show --showformat '${Version}' "${package%=*}" 2>/dev/null || true)
  if [[ $version != "${package#*=}"* ]]; then
    echo "This needs Debian's ${package%=*} ${package#*=}, and finds ${version:-none}."
    exit 1
  fi
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >run.mjs <<'JS'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, request as open } from 'node:http';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function listen(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}
async function freePort() {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A turn of at most three seconds, whose headers come with its first event, or with its end. */
let streams;
let begun;
let ended;
const server = createServer(async (request, answer) => {
  await once(request.resume(), 'end');
  if (request.url === '/ready') return answer.end();
  answer.on('close', () => ended.resolve(answer.writableFinished ? 'ran to the end' : 'left'));
  if (streams) answer.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let events = 0; events < 60 && !answer.destroyed; events += 1) {
    if (streams) answer.write(`data: {"type":"response.output_text.delta","delta":"${events} "}\n\n`);
    if (events === 1) begun.resolve();
    await sleep(50);
  }
  answer.end();
});
const behind = `127.0.0.1:${await listen(server)}`;
const folder = process.cwd();
const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder};`).join(' ');
const http = `access_log off; ${temporary}`;
const haproxy = (more) => (port) => {
  const limits = 'timeout connect 5s\ntimeout client 50s\ntimeout server 50s';
  writeFileSync('haproxy.cfg', `defaults\nmode http\n${limits}\n${more}\nlisten turns\nbind 127.0.0.1:${port}\nserver s ${behind}\n`);
  return ['haproxy', '-f', 'haproxy.cfg'];
};
const proxies = {
  nginx(port) {
    const location = `location / { proxy_pass http://${behind}; proxy_buffering off; }`;
    const text = `daemon off; pid ${folder}/pid; events {} http { ${http} server { listen 127.0.0.1:${port}; ${location} } }`;
    writeFileSync('nginx.conf', text);
    return ['nginx', '-e', `${folder}/nginx.log`, '-c', `${folder}/nginx.conf`];
  },
  haproxy: haproxy(''),
  'haproxy with option abortonclose': haproxy('option abortonclose'),
  apache(port) {
    const modules = ['mpm_event', 'proxy', 'proxy_http', 'authz_core'];
    const load = modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n');
    const own = `ServerName turns\nListen 127.0.0.1:${port}\nPidFile ${folder}/apache.pid\nErrorLog ${folder}/apache.log\nMutex file:${folder} default`;
    writeFileSync('apache.conf', `${own}\n${load}\nProxyPass / http://${behind}/ flushpackets=on\n`);
    return ['apache2', '-d', folder, '-f', `${folder}/apache.conf`, '-DFOREGROUND'];
  },
  caddy(port) {
    writeFileSync('Caddyfile', `{\nadmin off\nauto_https off\n}\nhttp://127.0.0.1:${port} {\nreverse_proxy ${behind}\n}\n`);
    return ['caddy', 'run', '--config', 'Caddyfile', '--adapter', 'caddyfile'];
  },
};

async function leave(port) {
  const hasBegun = new Promise((resolve) => (begun = { resolve }));
  const hasEnded = new Promise((resolve) => (ended = { resolve }));
  const client = open({ port, host: '127.0.0.1', method: 'POST', path: '/v1/responses', headers: { 'content-type': 'application/json' } });
  client.on('error', () => {}).end(JSON.stringify({ model: 'm', input: 'Count.', stream: streams }));
  if (streams) {
    const [answer] = await once(client, 'response');
    await once(answer.on('error', () => {}), 'data');
  }
  await hasBegun;
  client.destroy();
  return hasEnded;
}
for (const [name, configure] of Object.entries(proxies)) {
  const port = await freePort();
  const [command, ...args] = configure(port);
  const proxy = spawn(command, args, { stdio: 'ignore' });
  const gone = once(proxy, 'exit');
  for (let waits = 0; waits < 200; waits += 1) {
    if (await fetch(`http://127.0.0.1:${port}/ready`).then(({ ok }) => ok, () => false)) break;
    await sleep(50);
  }
  streams = true;
  const inStream = await leave(port);
  streams = false;
  console.log(`${name}: in the stream ${inStream}, before the headers ${await leave(port)}`);
  proxy.kill();
  await Promise.race([gone, sleep(5_000)]);
}
process.exit(0);
JS
timeout 90 node run.mjs 2>/dev/null | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
nginx: in the stream left, before the headers left
haproxy: in the stream left, before the headers ran to the end
haproxy with option abortonclose: in the stream left, before the headers left
apache: in the stream left, before the headers ran to the end
caddy: in the stream left, before the headers left
EOT
