import type { PermissionRules } from '../../config/schema/permissions.js';
import type { Answer, Approval, Approver } from '../approval.js';
import type { HookWord } from '../hooks/hook-verdict.js';
import type { Tool, ToolContext } from '../tools/tool.js';
import { readCall, restrainsPlace, ruleFor } from './rule-match.js';

/** What a call needs before it may run. */
export type Need =
  /** `restrained`: it runs because it only reads, so what the file asks for inside of it is left out. `by`: what lets it run, in docker-agent's words. */
  | { kind: 'nothing'; restrained: boolean; by: AllowedBy }
  | { kind: 'answer'; of: Approver; reason: string | undefined; addresses: readonly URL[] }
  | { kind: 'refused'; rule: string };

export type AllowedBy = 'yolo' | 'session_permissions_allow' | 'team_permissions_allow' | 'readonly_hint';

const noRules: PermissionRules = { deny: [], allow: [], ask: [] };

const nobody: Approver = {
  approve() {
    throw new Error('there is nobody to ask');
  },
};

export interface PermissionsOptions {
  /** The `permissions` of the file. @default none */
  rules?: PermissionRules | undefined;
  /** All tools of the session: what one of them has read, another one could send away. @default none */
  tools?: readonly Tool[] | undefined;
}

/** The rules of the file, and the answers of one session, kept until it ends. */
export class Permissions {
  readonly #approver: Approver;
  readonly #yolo: boolean;
  readonly #rules: PermissionRules;
  readonly #granted = new Set<string>();
  /** Hosts that requests may go to. */
  readonly #hosts = new Set<string>();
  readonly #asksForHosts: boolean;

  constructor(approval: Approval, { rules = noRules, tools = [] }: PermissionsOptions = {}) {
    this.#yolo = approval === 'yolo' || 'yolo' in approval;
    this.#approver = approval === 'yolo' ? nobody : 'yolo' in approval ? approval.yolo : approval;
    this.#rules = rules;
    this.#asksForHosts = tools.some(({ revealing }) => revealing === true);
  }

  /**
   * The first of these that says something about the call: what the file denies, yolo, what the session has granted, what the file allows, what
   * it asks for, what only reads; all else asks. It is docker-agent's order, but for one thing: there yolo comes first, and here a rule that
   * says never holds under yolo too. `agent` is the name of the one that makes the call.
   */
  async needs(agent: string, tool: Tool, args: unknown): Promise<Need> {
    const call = await readCall(tool, args);
    const denied = ruleFor(this.#rules.deny, call, 'restrains');
    if (denied !== undefined) return { kind: 'refused', rule: denied.source };
    const free = (by: AllowedBy): Need => ({ kind: 'nothing', restrained: false, by });
    if (this.#yolo) return free('yolo');
    if (this.#granted.has(identity(agent, tool))) return free('session_permissions_allow');
    if (ruleFor(this.#rules.allow, call, 'allows') !== undefined) return free('team_permissions_allow');
    const asked = ruleFor(this.#rules.ask, call, 'restrains');
    const addresses = this.#unasked(tool, args);
    const reads = tool.readOnly && tool.unproven !== true;
    if (asked === undefined && reads && addresses.length === 0)
      return { kind: 'nothing', restrained: true, by: 'readonly_hint' };
    return { kind: 'answer', of: this.#approver, reason: firstRequest(addresses), addresses };
  }

  /** What a call needs that a hook wants to be asked for, whatever else would let it run. */
  asked({ by, reason }: HookWord, tool: Tool, args: unknown): Extract<Need, { kind: 'answer' }> {
    const addresses = this.#unasked(tool, args);
    const why = `the hook ${by} wants it${reason === '' ? '' : `: ${reason}`}`;
    return { kind: 'answer', of: this.#approver, reason: why, addresses };
  }

  /** Notes an answer; true if the call may run. Anything but a yes is a no. */
  allows(agent: string, tool: Tool, answer: Answer, addresses: readonly URL[]): boolean {
    if (answer === 'always') this.#granted.add(identity(agent, tool));
    const yes = answer === 'always' || answer === 'yes';
    if (yes) for (const { host } of addresses) this.#hosts.add(host);
    return yes;
  }

  /** What a call that may run is told of the rules: they hold for what it comes upon, too. */
  limits(agent: string, tool: Tool, need: Need): Pick<ToolContext, 'mayRead' | 'mayReach'> {
    const { deny, ask } = this.#rules;
    const restraints = need.kind === 'nothing' && need.restrained ? [...deny, ...ask] : deny;
    const free = !this.#asksForHosts || this.#yolo || this.#granted.has(identity(agent, tool));
    return {
      mayRead: (place) => !restrainsPlace(restraints, tool, place),
      mayReach: async (address) => {
        if (ruleFor(deny, await readCall(tool, { urls: [address.href] }), 'restrains') !== undefined) return false;
        if (free || this.#hosts.has(address.host)) return true;
        return ruleFor(this.#rules.allow, await readCall(tool, { urls: [address.href] }), 'allows') !== undefined;
      },
    };
  }

  /** The addresses of a call whose hosts nothing was sent to so far, where that needs a question: one for each host. */
  #unasked(tool: Tool, args: unknown): URL[] {
    if (!this.#asksForHosts) return [];
    const found = new Map((tool.addresses?.(args) ?? []).map((address) => [address.host, address]));
    return [...found.values()].filter(({ host }) => !this.#hosts.has(host));
  }
}

/** What was granted is a tool as it was shown. That of another agent, or of another MCP server, is another one, also where the names are the same. */
function identity(agent: string, { name, alias }: Tool): string {
  return JSON.stringify([agent, alias, name]);
}

function firstRequest(addresses: readonly URL[]): string | undefined {
  if (addresses.length === 0) return undefined;
  return `it is the first request to ${addresses.map(({ host }) => host).join(' and ')}: an address can carry away what the agents of this file can read`;
}
