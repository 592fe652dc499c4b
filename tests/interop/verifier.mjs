// A verifier that is not ours, on loopback: @openid4vc's verifier, dcql, @sd-jwt with status lists.
// {port, x5c, jwk, anchors} on standard input; `POST /control/ask {query, mode, clientId, transactionData}` opens a request.
import { createHash, randomBytes, verify } from 'node:crypto'
import { createPublicKey } from 'node:crypto'
import { Openid4vpVerifier } from '@openid4vc/openid4vp'
import { getListFromStatusListJWT } from '@sd-jwt/jwt-status-list'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { DcqlPresentationResult, DcqlQuery } from 'dcql'
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose'
import { callbacks, checkChain, hash, input, keyOf, takeKey } from './callbacks.mjs'
import { serve } from './serve.mjs'

const { port, x5c, jwk, anchors } = JSON.parse(await input())
const me = `http://127.0.0.1:${port}`
await takeKey(jwk)
const signer = { method: 'x5c', x5c, alg: 'ES256' }
const secret = () => randomBytes(16).toString('base64url')
const requests = new Map()

const verifier = new Openid4vpVerifier({
  callbacks: {
    ...callbacks,
    decryptJwe: async (jwe) => {
      const { kid } = JSON.parse(Buffer.from(jwe.split('.')[0], 'base64url'))
      const one = [...requests.values()].find((each) => each.encryption?.publicJwk.kid === kid)
      const opened = await compactDecrypt(jwe, one.encryption.privateKey)
      return { decrypted: true, payload: new TextDecoder().decode(opened.plaintext), decryptionJwk: one.encryption.publicJwk }
    },
    encryptJwe: () => { throw new Error('nothing is encrypted here') },
  },
})

serve(port, {
  '/control/ask': async ({ body }) => {
    const id = secret()
    const one = { id, encryption: undefined, result: { state: 'waiting' } }
    const mode = body.mode ?? 'direct_post.jwt'
    const metadata = { vp_formats_supported: { 'dc+sd-jwt': { 'sd-jwt_alg_values': ['ES256'], 'kb-jwt_alg_values': ['ES256'] } } }
    if (mode === 'direct_post.jwt') {
      const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
      one.encryption = { privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid: id, use: 'enc', alg: 'ECDH-ES' } }
      metadata.jwks = { keys: [one.encryption.publicJwk] }
      metadata.encrypted_response_enc_values_supported = ['A128GCM', 'A256GCM']
    }
    const digest = createHash('sha256').update(Buffer.from(x5c[0], 'base64')).digest('base64url')
    one.payload = {
      response_type: 'vp_token', response_mode: mode, client_id: body.clientId ?? `x509_hash:${digest}`,
      response_uri: `${me}/response/${id}`, nonce: secret(), state: secret(), dcql_query: body.query, client_metadata: metadata,
      ...(body.transactionData ? { transaction_data: body.transactionData.map(encoded) } : {}),
    }
    requests.set(id, one)
    const made = await request(one)
    const link = new URL(made.authorizationRequest)
    if (body.post !== false) link.searchParams.set('request_uri_method', 'post')
    return { json: { id, link: link.toString() } }
  },
  '/control/result': ({ query }) => ({ json: requests.get(query.get('id')).result }),
  '/request': async ({ path, body }) => {
    const made = await request(requests.get(path.split('/').pop()), body.wallet_nonce)
    return { text: made.jar.authorizationRequestJwt, type: 'application/oauth-authz-req+jwt' }
  },
  '/response': async ({ path, body }) => {
    const one = requests.get(path.split('/').pop())
    if (body.error) {
      one.result = { state: 'declined', error: body.error, sameState: body.state === one.payload.state }
      return { json: {} }
    }
    try {
      one.result = { state: 'answered', ...(await read(one, body)) }
    } catch (error) {
      one.result = { state: 'refused', error: String(error.stack ?? error) }
      return { status: 400, json: { error: 'invalid_request' } }
    }
    return { json: { redirect_uri: `${me}/done?response_code=${secret()}` } }
  },
})

const encoded = (entry) => Buffer.from(JSON.stringify(entry)).toString('base64url')

function request(one, walletNonce) {
  return verifier.createOpenId4vpAuthorizationRequest({
    authorizationRequestPayload: { ...one.payload, ...(walletNonce ? { wallet_nonce: walletNonce } : {}) },
    jar: {
      requestUri: `${me}/request/${one.id}`, jwtSigner: signer, expiresInSeconds: 300,
      additionalJwtPayload: { aud: 'https://self-issued.me/v2' },
    },
    wallet: walletNonce ? { expectedNonce: walletNonce } : undefined,
  })
}

async function read(one, body) {
  const answer = { ...body }
  if (answer.vp_token) answer.vp_token = JSON.parse(answer.vp_token)
  const parsed = await verifier.parseOpenid4vpAuthorizationResponse({
    authorizationResponse: answer, authorizationRequestPayload: one.payload, callbacks: verifier.options?.callbacks,
  })
  const sent = parsed.authorizationResponsePayload
  if (sent.state !== one.payload.state) throw new Error('another state')
  const shown = {}
  const entries = []
  for (const [id, texts] of Object.entries(parsed.dcql.presentations)) {
    const claims = await verified(texts[0], one.payload)
    shown[id] = claims
    entries.push([id, [{ credential_format: 'dc+sd-jwt', vct: claims.vct, claims, cryptographic_holder_binding: true }]])
  }
  const query = DcqlQuery.parse(one.payload.dcql_query)
  const result = DcqlPresentationResult.fromDcqlPresentation(Object.fromEntries(entries), { dcqlQuery: query })
  if (!result.can_be_satisfied) throw new Error(`the query is not met: ${JSON.stringify(result)}`)
  return { encrypted: Boolean(body.response), shown }
}

/** Verify one presentation: issuer by certificate or published key, status by signed list, holder binding to us. */
async function verified(text, asked) {
  const bare = new SDJwtVcInstance({ hasher: (data, alg) => new Uint8Array(hash(data, alg)), hashAlg: 'sha-256' })
  const decoded = await bare.decode(text)
  const issuerKey = await keyFrom(decoded.jwt.header, decoded.jwt.payload)
  const instance = new SDJwtVcInstance({
    hasher: (data, alg) => new Uint8Array(hash(data, alg)), hashAlg: 'sha-256',
    verifier: (data, signature) => checked(issuerKey, data, signature),
    kbVerifier: (data, signature, payload) => checked(payload.cnf.jwk, data, signature),
    statusListFetcher: fetchList,
    statusVerifier: () => true, // the list's own signature is checked where it is fetched, with the key of its own header
    statusValidator: async (status) => { if (status !== 0) throw new Error(`status ${status}`) },
  })
  const { payload, kb } = await instance.verify(text, { keyBindingNonce: asked.nonce })
  if (kb.payload.aud !== asked.client_id) throw new Error('for another verifier')
  return payload
}

async function keyFrom(header, payload) {
  if (header.x5c) {
    if (!anchors.some((anchor) => { try { checkChain(header.x5c, anchor); return true } catch { return false } })) {
      throw new Error('a certificate under no anchor')
    }
    return keyOf(header.x5c[0])
  }
  const url = new URL(payload.iss)
  const told = await (await fetch(`${url.origin}/.well-known/jwt-vc-issuer${url.pathname}`)).json()
  if (told.issuer !== payload.iss) throw new Error('another issuer')
  return told.jwks.keys.find((key) => key.kid === header.kid)
}

async function fetchList(uri) {
  const answer = await fetch(uri, { headers: { Accept: 'application/statuslist+jwt' } })
  if (!answer.headers.get('content-type').startsWith('application/statuslist+jwt')) throw new Error('no status list')
  const token = await answer.text()
  const [head, body, signature] = token.split('.')
  const header = JSON.parse(Buffer.from(head, 'base64url'))
  const payload = JSON.parse(Buffer.from(body, 'base64url'))
  if (header.typ !== 'statuslist+jwt' || payload.sub !== uri) throw new Error('another list')
  if (header.x5c) {
    checkChain(header.x5c, anchors[0])
    if (!checked(keyOf(header.x5c[0]), `${head}.${body}`, signature)) throw new Error('a list that is not signed')
  }
  getListFromStatusListJWT(token)
  return token
}

function checked(key, data, signature) {
  const publicKey = createPublicKey({ key, format: 'jwk' })
  return verify('sha256', Buffer.from(data), { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
}
