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
process.on('message', (message: { jumpMs: number }) => (Date.now = () => now() + message.jumpMs));
process.once('SIGTERM', () => void gateway.close().then(() => process.exit(0)));
process.send?.({ url: gateway.url });
