import type { PermissionRules } from '../../config/schema/agents/permissions.js';
import type { Answer, Approval, Approver } from '../calls/approval.js';
import type { Tool, ToolContext } from '../tools/tool.js';
import { holds } from '../tools/files/workspace.js';
import { allowsPlace, readCall, restrainsPlace, ruleFor } from './rule-match.js';

/** The permission that a call needs before it may run. */
export type ApprovalNeed =
  /**
   * `restrained`: the call runs because it only reads, so files that the rules ask for are left out of its result. `by`: the reason that lets it run, in
   * docker-agent's words.
   */
  | { kind: 'nothing'; restrained: boolean; by: AllowedBy }
  | ({ kind: 'answer'; of: Approver; reason: string | undefined } & Grants)
  | { kind: 'refused'; rule: string };

/** The permissions that a yes grants besides the call. */
export interface Grants {
  /** Requests to the hosts of these addresses. */
  addresses: readonly URL[];
  /** Reading in these folders outside of the working directory. */
  folders: readonly string[];
}

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
  /** All tools of the session: one could send away what another one has read. @default none */
  tools?: readonly Tool[] | undefined;
}

/** The rules of the file, and the answers of one session, which are kept until it ends. */
export class Permissions {
  readonly #approver: Approver;
  /** True: nobody is asked, but calls that the file denies do not run. */
  yolo: boolean;
  readonly #rules: PermissionRules;
  readonly #granted = new Set<string>();
  /** Hosts that requests may go to. */
  readonly #hosts = new Set<string>();
  /** Folders outside of the working directory in which tools may read. */
  readonly #folders = new Set<string>();
  readonly #asksForHosts: boolean;

  constructor(approval: Approval, { rules = noRules, tools = [] }: PermissionsOptions = {}) {
    this.yolo = approval === 'yolo' || 'yolo' in approval;
    this.#approver = approval === 'yolo' ? nobody : 'yolo' in approval ? approval.yolo : approval;
    this.#rules = rules;
    this.#asksForHosts = tools.some(({ revealing }) => revealing === true);
  }

  /**
   * Finds the permission that a call needs. The first of these decides: the file's denials, yolo, the answers of the session, the file's allowances, the
   * file's questions, read-only tools; every other call is asked about. This is docker-agent's order, except that there yolo comes first, while here a denial
   * holds under yolo too. `agent` is the name of the agent that makes the call.
   */
  async needs(agent: string, tool: Tool, args: unknown): Promise<ApprovalNeed> {
    const call = await readCall(tool, args);
    const denied = ruleFor(this.#rules.deny, call, 'restrains');
    if (denied !== undefined) return { kind: 'refused', rule: denied.source };
    const free = (by: AllowedBy): ApprovalNeed => ({ kind: 'nothing', restrained: false, by });
    if (this.yolo) return free('yolo');
    const folders = await this.#unread(tool, args);
    // Leaving the working directory needs more than a yes to the tool as such.
    const isInside = folders.length === 0;
    if (isInside && this.#granted.has(identity(agent, tool))) return free('session_permissions_allow');
    const allowing = this.#rules.allow.filter((rule) => isInside || rule.arguments.length > 0);
    if (ruleFor(allowing, call, 'allows') !== undefined) return free('team_permissions_allow');
    const asked = ruleFor(this.#rules.ask, call, 'restrains');
    const addresses = this.#unasked(tool, args);
    const reads = tool.readOnly && tool.unproven !== true;
    if (asked === undefined && reads && addresses.length === 0 && isInside)
      return { kind: 'nothing', restrained: true, by: 'readonly_hint' };
    const reason = firstRequest(addresses) ?? outside(folders);
    return { kind: 'answer', of: this.#approver, reason, addresses, folders };
  }

  /** The permission for a call that a hook wants to be asked about, whatever rules allow it. */
  async asked(reason: string, tool: Tool, args: unknown): Promise<Extract<ApprovalNeed, { kind: 'answer' }>> {
    const [addresses, folders] = [this.#unasked(tool, args), await this.#unread(tool, args)];
    return { kind: 'answer', of: this.#approver, reason, addresses, folders };
  }

  /** Notes an answer; true if the call may run. Every answer except a yes refuses. */
  allows(agent: string, tool: Tool, answer: Answer, { addresses, folders }: Grants): boolean {
    if (answer === 'always') this.#granted.add(identity(agent, tool));
    const yes = answer === 'always' || answer === 'yes';
    if (yes) for (const { host } of addresses) this.#hosts.add(host);
    if (yes) for (const folder of folders) this.#folders.add(folder);
    return yes;
  }

  /** The limits of a call that may run: rules also hold for files and addresses that it comes upon. */
  limits(agent: string, tool: Tool, need: ApprovalNeed): Pick<ToolContext, 'mayRead' | 'mayReach' | 'mayLeave'> {
    const { deny, ask } = this.#rules;
    const restraints = need.kind === 'nothing' && need.restrained ? [...deny, ...ask] : deny;
    const free = !this.#asksForHosts || this.yolo || this.#granted.has(identity(agent, tool));
    return {
      mayRead: (place) => !restrainsPlace(restraints, tool, place),
      mayLeave: (place) => this.#mayLeave(tool, place),
      mayReach: async (address) => {
        if (ruleFor(deny, await readCall(tool, { urls: [address.href] }), 'restrains') !== undefined) return false;
        if (free || this.#hosts.has(address.host)) return true;
        return ruleFor(this.#rules.allow, await readCall(tool, { urls: [address.href] }), 'allows') !== undefined;
      },
    };
  }

  #mayLeave(tool: Tool, place: string): boolean {
    if (this.yolo || [...this.#folders].some((folder) => holds(folder, place))) return true;
    return allowsPlace(this.#rules.allow, tool, place);
  }

  /** The folders outside of the working directory that a call reads in and that need a question. */
  async #unread(tool: Tool, args: unknown): Promise<readonly string[]> {
    const found = (await tool.beyond?.(args)) ?? [];
    return found.filter((folder) => ![...this.#folders].some((granted) => holds(granted, folder)));
  }

  /** The addresses of a call to hosts that need a question, because nothing was sent there so far: one for each host. */
  #unasked(tool: Tool, args: unknown): URL[] {
    if (!this.#asksForHosts) return [];
    const found = new Map((tool.addresses?.(args) ?? []).map((address) => [address.host, address]));
    return [...found.values()].filter(({ host }) => !this.#hosts.has(host));
  }
}

/** The identity of a tool for which an answer counts. A tool of another agent, or of another MCP server, is another tool even with the same name. */
function identity(agent: string, { name, alias }: Tool): string {
  return JSON.stringify([agent, alias, name]);
}

function firstRequest(addresses: readonly URL[]): string | undefined {
  if (addresses.length === 0) return undefined;
  return `it is the first request to ${addresses.map(({ host }) => host).join(' and ')}: an address can carry away what the agents of this file can read`;
}

function outside(folders: readonly string[]): string | undefined {
  if (folders.length === 0) return undefined;
  return `it reads outside of the working directory; a yes holds for all that is in ${folders.join(' and ')}`;
}
