// A city's identity platform, on loopback: npm's `oidc-provider`, certified by the OpenID Foundation.
// {port, client, redirect, people: {account: {claim: value}}} on standard input. Its one page asks who signs in; at which level
// (`acr`) is what it knows of the account.
import { Provider } from 'oidc-provider'
import { input } from './callbacks.mjs'

const { port, client, redirect, people } = JSON.parse(await input())
const claims = [...new Set(Object.values(people).flatMap((one) => Object.keys(one)))].filter((one) => one !== 'acr')
console.info = console.warn = () => {}

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: client.id, redirect_uris: [redirect], grant_types: ['authorization_code'], response_types: ['code'],
    ...(client.jwk
      ? { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', jwks: { keys: [client.jwk] } }
      : { token_endpoint_auth_method: 'client_secret_basic', client_secret: client.secret }),
  }],
  acrValues: ['loa1', 'loa3'],
  claims: { openid: ['sub', ...claims], acr: null, auth_time: null },
  cookies: { keys: ['a-key-of-this-run'] },
  conformIdTokenClaims: !client.jwk,
  findAccount: (_ctx, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  async loadExistingGrant({ oidc }) {
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId })
    grant.addOIDCScope('openid')
    grant.addOIDCClaims(claims)
    await grant.save()
    return grant
  },
})

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next()
  if (ctx.method === 'GET') {
    ctx.type = 'html'
    ctx.body = '<form method=post><input name=login><button>Sign in</button></form>'
    return
  }
  const login = new URLSearchParams(await body(ctx.req)).get('login')
  const result = login
    ? { login: { accountId: login, acr: people[login].acr, remember: false } }
    : { error: 'access_denied', error_description: 'turned back' }
  await provider.interactionFinished(ctx.req, ctx.res, result)
  ctx.respond = false
})
provider.listen(port, '127.0.0.1', () => console.log('ready'))

async function body(request) {
  const parts = []
  for await (const one of request) parts.push(one)
  return Buffer.concat(parts).toString()
}
