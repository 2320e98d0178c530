import { lookup } from 'node:dns/promises';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { proxyFor } from '@turnwire/client/proxy';
import { tunnel } from '../../agent/tools/mcp/transports/tunnel.js';
import { ms } from './finding.js';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ProxyAddress } from '@turnwire/client/proxy';
import type { Io } from '../process/io.js';
import type { Target } from '../probe/target.js';
import type { Finding } from './finding.js';

const daysToRenew = 14;
const slowDnsMs = 500;

/** An open connection, with the time that each step took. */
interface Opened {
  socket: Socket;
  tcpMs: number;
  tlsMs: number | undefined;
}

export interface Reached {
  findings: readonly Finding[];
  /** Opens further connections in the same way; undefined where the first one could not be opened. */
  connect: (() => Promise<Socket>) | undefined;
}

/** Looks at the steps before the first byte of HTTP: name, proxy, TCP and TLS. */
export async function reach({ baseUrl, timeoutMs }: Target, env: Io['env']): Promise<Reached> {
  const findings: Finding[] = [];
  const proxy = proxyFor(baseUrl, env);
  const secure = baseUrl.protocol === 'https:';
  const host = baseUrl.hostname.replace(/^\[|\]$/g, '');
  const port = Number(baseUrl.port || (secure ? 443 : 80));
  const unreachable = (finding: Omit<Finding, 'level'>): Reached => ({
    findings: [...findings, { level: 'problem', ...finding }],
    connect: undefined,
  });

  if (proxy === undefined) {
    const began = performance.now();
    const found = await within(lookup(host, { all: true }), timeoutMs).catch((error: unknown) => messageOf(error));
    if (typeof found === 'string')
      return unreachable({
        id: 'dns',
        text: `the name ${host} is not found: ${found}`,
        advice: 'look at the host of the base URL, and at the resolver',
      });
    const dnsMs = performance.now() - began;
    const addresses = found.map(({ address }) => address);
    findings.push({
      id: 'dns',
      level: dnsMs > slowDnsMs ? 'problem' : 'ok',
      text: `${host} is ${addresses.slice(0, 3).join(', ')}${addresses.length > 3 ? ', …' : ''} (${ms(dnsMs)})`,
      ...(dnsMs > slowDnsMs && { advice: 'the resolver is slow: each new connection waits for it' }),
      values: { ms: dnsMs },
    });
  } else {
    findings.push({
      id: 'proxy',
      level: 'note',
      text: `the environment names the proxy ${proxy.url} for this address`,
    });
  }

  const open = (): Promise<Opened> => openOnce({ host, port, secure, proxy, timeoutMs });
  let first: Opened;
  try {
    first = await open();
  } catch (error) {
    const text = messageOf(error);
    return unreachable({
      id: proxy === undefined ? 'connect' : 'proxy-tunnel',
      text: `no connection to ${host}:${port}: ${text}`,
      advice: adviceFor(text, proxy),
    });
  }
  findings.push({
    id: proxy === undefined ? 'connect' : 'proxy-tunnel',
    level: 'ok',
    text: `${proxy === undefined ? 'TCP' : 'the tunnel'} opens in ${ms(first.tcpMs)}`,
    values: { ms: first.tcpMs },
  });
  if (first.tlsMs !== undefined) {
    const found = certificateOf(first.socket as TLSSocket, host, first.tlsMs);
    findings.push(found);
    // No key is sent to a server whose certificate is not valid.
    if (found.id === 'tls-refused') {
      first.socket.destroy();
      return { findings, connect: undefined };
    }
  }
  let spare: Socket | undefined = first.socket;
  first.socket.on('error', () => undefined);
  return {
    findings,
    connect: async () => {
      const { socket } = spare === undefined || spare.destroyed ? await open() : { socket: spare };
      spare = undefined;
      return socket;
    },
  };
}

interface Way {
  host: string;
  port: number;
  secure: boolean;
  proxy: ProxyAddress | undefined;
  timeoutMs: number;
}

async function openOnce({ host, port, secure, proxy, timeoutMs }: Way): Promise<Opened> {
  const began = performance.now();
  const socket =
    proxy === undefined
      ? await opened(connectTcp({ host, port }), 'connect', timeoutMs)
      : await tunnel(proxy, `${host.includes(':') ? `[${host}]` : host}:${port}`, timeoutMs);
  const tcpMs = performance.now() - began;
  if (!secure) return { socket, tcpMs, tlsMs: undefined };
  // `certificateOf` checks the certificate, and says more about it than an error here would.
  const servername = /^[\d.]+$|:/.test(host) ? undefined : host;
  const tls = connectTls({ socket, host, rejectUnauthorized: false, ...(servername !== undefined && { servername }) });
  await opened(tls, 'secureConnect', timeoutMs);
  return { socket: tls, tcpMs, tlsMs: performance.now() - began - tcpMs };
}

function certificateOf(socket: TLSSocket, host: string, tlsMs: number): Finding {
  const { valid_to: validTo, issuer } = socket.getPeerCertificate();
  const days = Math.floor((Date.parse(validTo) - Date.now()) / 86_400_000);
  const of = `${socket.getProtocol() ?? 'TLS'} in ${ms(tlsMs)}, certificate of ${String(issuer?.O ?? issuer?.CN ?? 'nobody')}`;
  if (!socket.authorized)
    return {
      id: 'tls-refused',
      level: 'problem',
      text: `the certificate of ${host} is not accepted: ${String(socket.authorizationError)}`,
      advice:
        days < 0
          ? `the certificate expired on ${validTo}: renew it`
          : 'behind a proxy that decrypts TLS, or with an authority of your own, name its certificate in NODE_EXTRA_CA_CERTS',
      values: { days },
    };
  return {
    id: 'tls',
    level: days < daysToRenew ? 'problem' : 'ok',
    text: `${of}, valid for ${days} days`,
    ...(days < daysToRenew && { advice: `the certificate expires on ${validTo}: renew it` }),
    values: { ms: tlsMs, days },
  };
}

function adviceFor(text: string, proxy: ProxyAddress | undefined): string {
  if (proxy === undefined) return 'is the server running, and may this machine reach that port?';
  if (/status 407/.test(text)) return 'give the proxy its credentials: http://user:password@host:port in HTTPS_PROXY';
  if (/status 403/.test(text)) return 'the proxy allows no tunnel to this port: squid needs it among its SSL_ports';
  return 'look at HTTPS_PROXY, HTTP_PROXY and NO_PROXY';
}

function opened<S extends Socket>(socket: S, event: 'connect' | 'secureConnect', timeoutMs: number): Promise<S> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error(`nothing within ${ms(timeoutMs)}`)), timeoutMs);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('close', () => {
      clearTimeout(timer);
      reject(new Error('the other side closed the connection'));
    });
  });
}

async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${ms(timeoutMs)}`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
