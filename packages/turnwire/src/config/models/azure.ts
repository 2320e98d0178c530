/** The address of Azure's v1 API (P11) for what people give as `base_url`: their resource, with or without a path. */

type Address = { baseUrl: string } | { problem: string; at: 'base_url' | 'api_version' };

/**
 * A resource (`https://NAME.openai.azure.com`) and its `/openai` become `/openai/v1`; any other path is taken as it is, a gateway may
 * stand there. Dated versions belong to addresses that have no WebSocket, and are refused rather than left out.
 */
export function azureAddress(baseUrl: string, version: string | undefined): Address {
  const url = new URL(baseUrl);
  if (url.pathname.includes('/deployments/')) {
    const problem =
      'this is the address of a deployment, which has no Responses API; give the resource, https://NAME.openai.azure.com, and the deployment as "model"';
    return { problem, at: 'base_url' };
  }
  if (!/^(?:v1|latest|preview)$/.test(version ?? 'v1')) {
    const problem =
      '"api_version" must be v1 or preview: turnwire speaks Azure\'s v1 API, which has no dated versions; remove it';
    return { problem, at: 'api_version' };
  }
  if (/^\/(?:openai\/?)?$/.test(url.pathname)) url.pathname = '/openai/v1';
  if (version === 'preview') url.searchParams.set('api-version', 'preview');
  return { baseUrl: url.href };
}
