// The public API of @turnwire/gateway, as a table of contents.
export { checkConfig, startGateway } from './server/gateway.js';
export type { Checked, Gateway, GatewayOptions } from './server/gateway.js';
export { hashKey } from './server/principals.js';
export type { SecretSource } from './server/principals.js';
export { GatewayConfigError } from './config/problem.js';
export type { Position, Problem } from './config/problem.js';
export type { Config, ConfigInput } from './config/schema.js';
