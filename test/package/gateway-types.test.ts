import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as gateway from '@turnwire/gateway';
import type { GatewayPackage } from '../../packages/turnwire/dist/cli/gateway-package.js';

test('turnwire serve uses of @turnwire/gateway what is there', () => {
  const used: GatewayPackage = gateway;
  assert.equal(typeof used.startGateway, 'function');
});
