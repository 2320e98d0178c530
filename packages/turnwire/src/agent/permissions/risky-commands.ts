import { commandsIn } from './shell-commands.js';

/** Kinds of damage, each with patterns of the commands that can do it. A pattern begins at the command's name; blanks are single. */
const risks: readonly (readonly [what: string, patterns: readonly RegExp[]])[] = [
  [
    'it deletes files',
    [
      /^(?:rm|rmdir|unlink|shred|srm|wipe|truncate)(?: |$)/,
      /^find .*(?:-delete|-exec|-execdir|-ok)\b/,
      /^(?:rsync|rclone) .*(?:--del|--remove-source-files|purge|delete)/,
      /^git (?:.* )?clean(?: |$)/,
    ],
  ],
  [
    'it can write over what is there',
    [
      /^dd .*of=/,
      /^mkfs/,
      /^(?:fdisk|sfdisk|parted|wipefs|mkswap|format)(?: |$)/,
      /^mv .* \/dev\/null/,
      /^tee .*\/dev\//,
    ],
  ],
  [
    'it throws away work of git, or writes its history anew',
    [
      /^git (?:.* )?reset .*--hard/,
      /^git (?:.* )?(?:checkout|restore)(?: .*)? (?:--|\.)(?: |$)/,
      /^git (?:.* )?(?:checkout|switch) .*(?:-f|--force|--discard-changes)\b/,
      /^git (?:.* )?push .*(?:-f\b|--force|--delete|--mirror|--prune| \+| :)/,
      /^git (?:.* )?(?:branch .*-(?:D|d)\b|tag .*-d\b|stash (?:drop|clear)|reflog expire|gc .*--prune|filter-branch|filter-repo)/,
      /^git (?:.* )?(?:rebase|commit .*--amend|worktree remove|update-ref)\b/,
    ],
  ],
  [
    'it runs with the rights of another user, or changes rights',
    [
      /^(?:sudo|doas|su|pkexec|runas)(?: |$)/,
      /^(?:chmod|chown|chgrp|setfacl|chattr)(?: |$)/,
      /^(?:useradd|userdel|usermod|passwd|visudo)(?: |$)/,
    ],
  ],
  [
    'it stops processes or the machine',
    [
      /^(?:kill|pkill|killall|shutdown|reboot|halt|poweroff|init|telinit)(?: |$)/,
      /^(?:systemctl|service|launchctl)(?: |$)/,
      /^crontab .*-r/,
    ],
  ],
  [
    'it changes the network or what the machine lets in',
    [/^(?:iptables|ip6tables|nft|ufw|pfctl|route|ifconfig)(?: |$)/],
  ],
  [
    'it removes containers, clusters or infrastructure',
    [
      /^(?:docker|podman|nerdctl)(?: .*)? (?:rm|rmi|prune|kill|down)(?: |$)/,
      /^(?:kubectl|oc|helm) (?:.* )?(?:delete|drain|uninstall|replace)(?: |$)/,
      /^(?:terraform|tofu|pulumi|cdk) (?:.* )?(?:destroy|apply|up)(?: |$)/,
      /^(?:aws|gcloud|az|doctl|gh) .*(?:delete|terminate|destroy|remove|purge|\brm\b|\brb\b)/,
    ],
  ],
  [
    'it changes a database',
    [
      /^(?:psql|mysql|mariadb|sqlite3|mongosh|mongo|redis-cli) .*(?:drop|truncate|delete|flushall|flushdb)/i,
      /^(?:dropdb|dropuser)(?: |$)/,
    ],
  ],
  [
    'it publishes, for everybody',
    [/^(?:npm|pnpm|yarn|bun|cargo|gem|poetry|twine|docker|podman) (?:.* )?(?:publish|unpublish|upload|push)(?: |$)/],
  ],
  [
    'it runs code that comes from elsewhere, or is not shown',
    [
      /^(?:eval|source|\.) /,
      /^(?:sh|bash|zsh|dash|ksh|fish|python3?|node|perl|ruby|php)(?: -s?)?$/,
      /^base64 .*(?:-d|--decode)/,
    ],
  ],
];

/** Kinds of damage that a command's text shows elsewhere than at a command's name: writing to a device, or a function that calls itself without end. */
const elsewhere: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['it writes to a device', />\s*\/dev\/(?!null\b|stdout\b|stderr\b|tty\b|fd\/)/],
  ['it can fill the machine with copies of itself', /:\s*\(\s*\)\s*\{/],
];

/** The damage that a command may do; undefined: its text shows none. A text that cannot be parsed to its end counts as risky. */
export function riskOf(command: string): string | undefined {
  const { lines, unclear } = commandsIn(command);
  if (unclear) return 'it cannot be told what this command does';
  const texts = [...lines];
  const found = risks.find(([, patterns]) => patterns.some((pattern) => texts.some((line) => pattern.test(line))));
  return found?.[0] ?? elsewhere.find(([, pattern]) => pattern.test(command))?.[0];
}
