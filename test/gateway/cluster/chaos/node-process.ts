// A gateway as a process of its own, whose clock can be set. Takes its configuration as its first argument.
import { startGateway } from '@turnwire/gateway';
import type { ConfigInput } from '@turnwire/gateway';

const secrets: Readonly<Record<string, string>> = { DEPLOYMENT: 'what-all-gateways-of-a-run-share' };
const now = Date.now.bind(Date);
const gateway = await startGateway({
  config: JSON.parse(process.argv[2] ?? '') as ConfigInput,
  secret: (name) => Promise.resolve(secrets[name]),
  onWarning: (warning) => process.send?.({ warning }),
});
process.on('message', ({ jumpMs }: { jumpMs?: number }) => {
  if (jumpMs === undefined) process.send?.({ cpuMs: cpuMs() - startedWith });
  else Date.now = () => now() + jumpMs;
});
process.once('SIGTERM', () => void gateway.close().then(() => process.exit(0)));

/** The CPU time that this process has used, in milliseconds. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
const startedWith = cpuMs();
process.send?.({ url: gateway.url });
