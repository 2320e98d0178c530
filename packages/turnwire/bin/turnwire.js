#!/usr/bin/env node
// Committed rather than built: npm links a workspace's bin at install time, when dist/ does not exist yet.
import { existsSync } from 'node:fs';

const entry = new URL('../dist/cli/process/process.js', import.meta.url);
if (existsSync(entry)) {
  await import(entry.href);
} else {
  console.error('turnwire is not built yet: run "npm run build" in the root of the repository.');
  process.exitCode = 1;
}
