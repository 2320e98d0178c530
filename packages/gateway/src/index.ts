// The public API of @turnwire/gateway, as a table of contents.
export { startGateway } from './server/gateway.js';
export type { Gateway, GatewayOptions } from './server/gateway.js';
export { limitHeapGrowth } from './server/heap.js';
export { checkConfig } from './server/settings/check.js';
export type { ConfigSource } from './server/settings/check.js';
export { hashKey } from './server/settings/principals.js';
export type { SecretSource } from './server/settings/principals.js';
export type { LogOutput } from './server/turn-log.js';
export { GatewayConfigError } from './config/problem.js';
export type { Position, Problem } from './config/problem.js';
export type { Config, ConfigInput } from './config/schema.js';
