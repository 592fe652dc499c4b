// A verifier that this wallet knows beforehand, by a client identifier without prefix (OpenID4VP section 5.9.2). The library
// takes an identifier that begins with http(s): for OpenID Federation's, so its request is fetched and verified here.
import { randomBytes } from 'node:crypto'
import { compactVerify, importX509 } from 'jose'
import { checkChain, namesOf, pem } from './callbacks.mjs'

/** Fetch and verify the request of the registered verifier: {clientId, anchor} → as the library resolves others. */
export async function resolvePreRegistered({ client_id: named, request_uri: address, request_uri_method: method }, registered) {
  if (named !== registered.clientId) throw new Error(`${named} is not registered`)
  const walletNonce = randomBytes(16).toString('base64url')
  const answer = method === 'post'
    ? await fetch(address, { method: 'POST', body: new URLSearchParams({ wallet_nonce: walletNonce }) })
    : await fetch(address)
  const token = await answer.text()
  const { typ, alg, x5c } = JSON.parse(Buffer.from(token.split('.')[0], 'base64url'))
  if (typ !== 'oauth-authz-req+jwt' || alg !== 'ES256') throw new Error('not a signed request')
  checkChain(x5c, registered.anchor)
  if (!namesOf(x5c[0]).sanUriNames.includes(registered.clientId)) throw new Error('a certificate of another verifier')
  const { payload } = await compactVerify(token, await importX509(pem(x5c[0]), alg))
  const asked = JSON.parse(new TextDecoder().decode(payload))
  if (asked.client_id !== registered.clientId) throw new Error('the signed request names another verifier')
  if (asked.aud !== 'https://self-issued.me/v2' || asked.exp <= Date.now() / 1000) throw new Error('for another, or over')
  if (method === 'post' && asked.wallet_nonce !== walletNonce) throw new Error('not made for this fetch')
  return { authorizationRequestPayload: asked, dcql: { query: asked.dcql_query }, client: { identifier: named } }
}
