import { z } from 'zod';
import type { Approver } from '../../../dist/agent/calls/approval.js';
import { Permissions } from '../../../dist/agent/permissions/permissions.js';
import { defineTool, type Tool } from '../../../dist/agent/tools/tool.js';
import { permissionsSchema } from '../../../dist/config/schema/agents/permissions.js';

export const tool = (name: string, readOnly: boolean, more: Partial<Tool> = {}): Tool => ({
  ...defineTool({ name, description: '', readOnly, input: z.looseObject({}), run: () => Promise.resolve('') }),
  ...more,
});

export const shell = tool('shell', false, { command: 'cmd' });
export const read = tool('read_file', true);
export const approver: Approver = { approve: () => 'no' };

export type Written = Partial<Record<'deny' | 'allow' | 'ask', string[]>>;
export type Kind = 'nothing' | 'answer' | 'refused';

export const permissionsOf = (rules: Written, approval: 'yolo' | Approver = approver, tools: readonly Tool[] = []) =>
  new Permissions(approval, { rules: permissionsSchema.parse(rules), tools });
export const need = async (
  rules: Written,
  which: Tool,
  args: unknown,
  approval: 'yolo' | Approver = approver,
): Promise<Kind> => (await permissionsOf(rules, approval).needs('root', which, args)).kind;

export const nothing = { addresses: [], folders: [] };
