// A provider that nobody here wrote, the npm package oidc-provider, with accounts from a file that is read anew each
// time. Its settings come as JSON in PROVIDER; it says "listening ISSUER" once it answers.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const settings = JSON.parse(process.env.PROVIDER);
const { issuer, port, accounts, jwks, clients, audience, seconds } = settings;

const account = (id) => {
  const found = JSON.parse(readFileSync(accounts, 'utf8'))[id];
  return found && found.enabled
    ? { accountId: id, claims: () => ({ sub: id, name: found.name, groups: found.groups }) }
    : undefined;
};

const provider = new Provider(issuer, {
  jwks,
  clients,
  cookies: { keys: ['only for tests'] },
  claims: { openid: ['sub'], profile: ['name', 'groups'] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => account(id),
  extraTokenClaims: (_, token) => {
    const found = token.accountId && account(token.accountId);
    return found ? { groups: found.claims().groups } : undefined;
  },
  issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  // it would refuse to tell a client on this machine that a session has ended
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
  ttl: { AccessToken: seconds, IdToken: seconds, RefreshToken: 86400, Session: 86400, Grant: 86400, Interaction: 600 },
  features: {
    backchannelLogout: { enabled: true },
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'ask',
        audience,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
});
provider.on('server_error', (_, error) => console.error(error));
createServer(provider.callback()).listen(port, '127.0.0.1', () => console.log(`listening ${issuer}`));
