// The certified provider of npm, with accounts that a test makes, changes and takes away. Addresses below /test are the tests' own.
import http from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, port] = process.argv.slice(2);
const found = createRequire(`${folder}/package.json`).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(found).href);

const issuer = `http://127.0.0.1:${port}`;
const accounts = new Map();
const own = ['kvk', 'schac_home_organization', 'voperson_external_affiliation', 'eduperson_entitlement', 'eduperson_assurance', 'groups', 'roles',
  'urn:etoegang:core:ActingSubjectID', 'urn:etoegang:1.9:EntityConcernedID:KvKnr'];

const provider = new Provider(issuer, {
  claims: {
    openid: ['sub', 'acr'],
    auth_time: null,
    email: ['email', 'email_verified'],
    profile: ['name'],
    organisation: own,
  },
  scopes: ['openid', 'offline_access', 'email', 'profile', 'organisation'],
  acrValues: ['https://refeds.org/profile/sfa', 'https://refeds.org/profile/mfa', 'urn:etoegang:core:assurance-class:loa3'],
  conformIdTokenClaims: false,
  features: {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
    backchannelLogout: { enabled: true },
    registration: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
  fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
  pkce: { required: () => true },
  interactions: { url: (_, interaction) => `/test/interaction/${interaction.uid}` },
  issueRefreshToken: async (ctx, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  rotateRefreshToken: true,
  findAccount: (ctx, id) => (accounts.has(id) ? { accountId: id, claims: async () => ({ sub: id, ...accounts.get(id) }) } : undefined),
  cookies: { keys: ['of the tests'] },
  clientDefaults: { grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'] },
});

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

function page(response, text, status = 200) {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' }).end(`<!doctype html><html lang="en"><title>Provider</title>${text}`);
}

async function interact(request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    if (request.method === 'GET') {
      page(response, `<form method="post"><label>Account <input name="account"></label><label>Strength <input name="acr"></label>
        <button>Sign in</button></form>`);
      return;
    }
    const fields = new URLSearchParams(await bodyOf(request));
    if (!accounts.has(fields.get('account'))) { page(response, 'no such account', 403); return; }
    const acr = fields.get('acr') || (params.acr_values || '').split(' ')[0];
    const login = { accountId: fields.get('account'), remember: true, ...(acr ? { acr } : {}) };
    await provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
    return;
  }
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const consent = { grantId: await grant.save() };
  await provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

const ours = provider.callback();
http.createServer(async (request, response) => {
  try {
    const path = request.url.split('?')[0];
    if (path.startsWith('/test/interaction/')) return await interact(request, response);
    if (path.startsWith('/test/accounts/')) {
      const id = decodeURIComponent(path.slice('/test/accounts/'.length));
      if (request.method === 'DELETE') accounts.delete(id); else accounts.set(id, JSON.parse(await bodyOf(request)));
      return response.writeHead(204).end();
    }
    return ours(request, response);
  } catch (error) {
    page(response, String(error.stack), 500);
  }
}).listen(Number(port), '127.0.0.1', () => console.log(`serving ${issuer}`));
