import { createAdminServer } from '../../admin/listener.js';
import { Access } from '../settings/access.js';
import { listenAt, reachable } from './listen.js';
import type { AdminState } from '../../admin/state.js';
import type { AdminConfig } from '../../config/schema.js';

/** The listener of the admin page. */
export interface AdminListener {
  /** The address of the page. */
  readonly url: string;
  end(): void;
}

/** @throws GatewayConfigError for an address that cannot be listened on. */
export async function startAdmin(config: AdminConfig, state: () => AdminState): Promise<AdminListener> {
  const access = Access.forAdmin(config);
  const server = createAdminServer({ check: (request) => access.check(request), state });
  const port = await listenAt(server, config);
  return {
    url: `http://${reachable(config.host)}:${port}/`,
    end: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
