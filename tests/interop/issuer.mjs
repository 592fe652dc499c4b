// An issuer that is not ours, on loopback: @openid4vc's issuer, authorization and resource server, @sd-jwt's credentials.
// {port, x5c, jwk, anchor, sealed} on standard input; one that is `sealed` encrypts and has everything encrypted.
// `GET /control/offer?grant=…&of=…&waits=…` makes an offer; `/control/decide?offer=…&as=…` says what becomes of one that waits.
import { randomBytes } from 'node:crypto'
import { Oauth2AuthorizationServer, Oauth2ResourceServer, SupportedAuthenticationScheme } from '@openid4vc/oauth2'
import { Openid4vciIssuer, Openid4vciVersion } from '@openid4vc/openid4vci'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { sign } from 'node:crypto'
import { KeyObject } from 'node:crypto'
import { callbacks, checkChain, hash, input, newKey, privateKeyOf, takeKey } from './callbacks.mjs'
import { sealingKey, sealTo } from './sealing.mjs'
import { serve } from './serve.mjs'

const { port, x5c, jwk, anchor, sealed } = JSON.parse(await input())
const me = `http://127.0.0.1:${port}`
const VCT = `${me}/types/library-card`
const own = await takeKey(jwk)
const tokenKey = { ...(await newKey()), kid: 'token', alg: 'ES256', use: 'sig' }
const sealing = await sealingKey('requests')
const secret = () => randomBytes(16).toString('base64url')

const server = new Oauth2AuthorizationServer({ callbacks })
const resources = new Oauth2ResourceServer({ callbacks })
const issuer = new Openid4vciIssuer({ callbacks })
const serverMetadata = server.createAuthorizationServerMetadata({
  issuer: me, token_endpoint: `${me}/token`, authorization_endpoint: `${me}/authorize`,
  pushed_authorization_request_endpoint: `${me}/par`, require_pushed_authorization_requests: true, jwks_uri: `${me}/jwks`,
  token_endpoint_auth_methods_supported: ['attest_jwt_client_auth'], code_challenge_methods_supported: ['S256'],
  dpop_signing_alg_values_supported: ['ES256'], authorization_response_iss_parameter_supported: true,
})
const JWT = { jwt: { proof_signing_alg_values_supported: ['ES256'], key_attestations_required: {} } }
const encryption = { enc_values_supported: ['A256GCM'], encryption_required: true }
const credentialIssuer = issuer.createCredentialIssuerMetadata({
  credential_issuer: me, credential_endpoint: `${me}/credential`, nonce_endpoint: `${me}/nonce`,
  deferred_credential_endpoint: `${me}/deferred`,
  notification_endpoint: `${me}/notification`, display: [{ name: 'Town library', locale: 'en' }],
  credential_configurations_supported: {
    card: configuration({ scope: 'card', proof_types_supported: JWT }),
    attested_card: configuration({
      scope: 'attested_card', proof_types_supported: { attestation: { proof_signing_alg_values_supported: ['ES256'] } },
    }),
    detailed_card: configuration({ proof_types_supported: JWT }), // no scope: asked for by authorization_details
  },
  ...(sealed ? {
    credential_request_encryption: { jwks: { keys: [sealing.publicJwk] }, ...encryption },
    credential_response_encryption: { alg_values_supported: ['ECDH-ES'], ...encryption },
  } : {}),
})
const issuerMetadata = {
  originalDraftVersion: Openid4vciVersion.V1, credentialIssuer, authorizationServers: [serverMetadata],
  knownCredentialConfigurations: issuer.getKnownCredentialConfigurationsSupported(credentialIssuer),
}
const offers = new Map() // code or issuer state → offer
const waiting = new Map() // transaction → {offer, key}
const pushed = new Map()
const codes = new Map()
const nonces = new Set()
const events = []

const dpopNonce = secret()

/** RFC 9449 section 8: the first proof is asked again with our nonce. */
function nonceMissing(request) {
  const proof = request.headers.get('dpop')
  const claims = proof ? JSON.parse(Buffer.from(proof.split('.')[1], 'base64url')) : {}
  return claims.nonce === dpopNonce ? undefined : {
    status: 400, json: { error: 'use_dpop_nonce' }, headers: { 'DPoP-Nonce': dpopNonce },
  }
}

function attested(verified) {
  checkChain(verified.clientAttestation.clientAttestation.header.x5c, anchor)
  return verified
}

serve(port, {
  '/.well-known/openid-credential-issuer': () => ({ json: credentialIssuer }),
  '/.well-known/oauth-authorization-server': () => ({ json: serverMetadata }),
  '/jwks': () => ({ json: { keys: [tokenKey] } }),
  '/types/library-card': () => ({
    json: {
      vct: VCT, display: [{ locale: 'zh-CN', name: '借书证' }, { locale: 'en', name: 'Library card' }],
      claims: [{ path: ['reader'], mandatory: true, sd: 'always', display: [{ locale: 'en', label: 'Reader' }] }],
    },
  }),
  '/control/offer': async ({ query }) => {
    const code = secret()
    const txCode = query.get('tx') ? '4711' : undefined
    const grants = query.get('grant') === 'code'
      ? { authorization_code: { issuer_state: code } }
      : { 'urn:ietf:params:oauth:grant-type:pre-authorized_code': {
          'pre-authorized_code': code, ...(txCode ? { tx_code: { input_mode: 'numeric', length: 4 } } : {}),
        } }
    const id = secret()
    const { credentialOffer, credentialOfferObject } = await issuer.createCredentialOffer({
      issuerMetadata, credentialConfigurationIds: [query.get('of') ?? 'card'], grants, credentialOfferUri: `${me}/offers/${id}`,
    })
    offers.set(id, credentialOfferObject)
    offers.set(code, { code, txCode, of: query.get('of') ?? 'card', clear: query.get('clear'), state: query.get('waits') ? 'waits' : 'ready' })
    return { json: { link: credentialOffer, offer: code } }
  },
  '/control/decide': ({ query }) => {
    offers.get(query.get('offer')).state = query.get('as')
    return { json: {} }
  },
  '/control/events': () => ({ json: events }),
  '/offers': ({ path }) => ({ json: offers.get(path.split('/').pop()) }),
  '/par': async ({ request, body }) => {
    const missing = nonceMissing(request)
    if (missing) return missing
    const parsed = await server.parsePushedAuthorizationRequest({ request, authorizationRequest: body })
    const verified = await server.verifyPushedAuthorizationRequest({
      authorizationServerMetadata: serverMetadata, authorizationRequest: parsed.authorizationRequest, request,
      dpop: { required: true, ...parsed.dpop, allowedSigningAlgs: ['ES256'] },
      clientAttestation: { required: true, ...parsed.clientAttestation },
    })
    attested(verified)
    if (!offers.has(parsed.authorizationRequest.issuer_state)) throw new Error('no such offer')
    const requestUri = `urn:ietf:params:oauth:request_uri:${secret()}`
    pushed.set(requestUri, { asked: parsed.authorizationRequest, jkt: verified.dpop.jwkThumbprint })
    const made = server.createPushedAuthorizationResponse({ requestUri, expiresInSeconds: 60 })
    return { status: 201, json: made.pushedAuthorizationResponse }
  },
  '/authorize': ({ query }) => {
    const { asked, jkt } = pushed.get(query.get('request_uri'))
    pushed.delete(query.get('request_uri'))
    const code = secret()
    codes.set(code, { asked, jkt })
    const back = new URL(asked.redirect_uri)
    for (const [name, value] of Object.entries({ code, state: asked.state, iss: me })) back.searchParams.set(name, value)
    return { status: 302, headers: { Location: back.toString() } }
  },
  '/token': async ({ request, body }) => {
    const missing = nonceMissing(request)
    if (missing) return missing
    const parsed = server.parseAccessTokenRequest({ request, accessTokenRequest: body })
    const common = {
      authorizationServerMetadata: serverMetadata, accessTokenRequest: parsed.accessTokenRequest, grant: parsed.grant, request,
      clientAttestation: { required: true, ...parsed.clientAttestation },
    }
    let verified, offer
    if (parsed.grant.grantType === 'authorization_code') {
      const { asked, jkt } = codes.get(parsed.grant.code)
      codes.delete(parsed.grant.code)
      offer = offers.get(asked.issuer_state)
      offer.details = asked.authorization_details && JSON.parse(asked.authorization_details)
      verified = await server.verifyAuthorizationCodeAccessTokenRequest({
        ...common, expectedCode: parsed.grant.code, dpop: { required: true, ...parsed.dpop, expectedJwkThumbprint: jkt },
        pkce: {
          codeVerifier: parsed.pkceCodeVerifier, codeChallenge: asked.code_challenge,
          codeChallengeMethod: asked.code_challenge_method,
        },
      })
    } else {
      offer = offers.get(parsed.grant.preAuthorizedCode)
      verified = await server.verifyPreAuthorizedCodeAccessTokenRequest({
        ...common, expectedPreAuthorizedCode: offer.code, expectedTxCode: offer.txCode, dpop: { required: true, ...parsed.dpop },
      })
    }
    attested(verified)
    return { json: await server.createAccessTokenResponse({
      audience: me, authorizationServer: me, subject: offer.code, scope: offer.details ? undefined : offer.of,
      expiresInSeconds: 300, signer: { method: 'jwk', alg: 'ES256', publicJwk: tokenKey }, dpop: verified.dpop,
      additionalAccessTokenResponsePayload: offer.details ? {
        authorization_details: offer.details.map((one) => ({ ...one, credential_identifiers: [identifierOf(offer)] })),
      } : {},
    }) }
  },
  '/nonce': () => {
    const nonce = secret()
    nonces.add(nonce)
    return { json: issuer.createNonceResponse({ cNonce: nonce }), headers: { 'Cache-Control': 'no-store' } }
  },
  '/credential': async (call) => {
    const offer = await entitled(call.request)
    const { told, answer } = await opened(call, offer)
    const { proofs, ...parsed } = issuer.parseCredentialRequest({ issuerMetadata, credentialRequest: told })
    const { credentialConfigurationId, credentialIdentifier } = parsed
    if (credentialConfigurationId !== (offer.details ? undefined : offer.of)) throw refusal('unknown_credential_configuration')
    if (offer.details && credentialIdentifier !== identifierOf(offer)) throw refusal('unknown_credential_identifier')
    const key = await provedKey(proofs)
    if (offer.state !== 'ready') {
      const transactionId = secret()
      waiting.set(transactionId, { offer, key })
      return answer(issuer.createCredentialResponse({ credentialRequest: parsed, transactionId, interval: 5 }), 202)
    }
    const credentials = [{ credential: await credentialFor(key) }]
    return answer(issuer.createCredentialResponse({ credentialRequest: parsed, credentials, notificationId: 'n1' }))
  },
  '/deferred': async (call) => {
    const offer = await entitled(call.request)
    const { told, answer } = await opened(call, offer)
    const { deferredCredentialRequest } = issuer.parseDeferredCredentialRequest({ deferredCredentialRequest: told })
    const transactionId = deferredCredentialRequest.transaction_id
    const one = waiting.get(transactionId)
    if (one?.offer !== offer) throw refusal('invalid_transaction_id')
    if (offer.state === 'denied') throw refusal('credential_request_denied')
    if (offer.state === 'waits') return answer(issuer.createDeferredCredentialResponse({ transactionId, interval: 5 }), 202)
    waiting.delete(transactionId)
    const credentials = [{ credential: await credentialFor(one.key) }]
    // The library will not put a notification_id beside deferred credentials; section 9.2 lets an issuer do so.
    return answer({ ...issuer.createDeferredCredentialResponse({ credentials }), notification_id: 'n2' })
  },
  '/notification': ({ body }) => {
    events.push(body.event)
    return { status: 204 }
  },
})

function configuration(more) {
  return {
    format: 'dc+sd-jwt', vct: VCT, cryptographic_binding_methods_supported: ['jwk'],
    credential_signing_alg_values_supported: ['ES256'],
    credential_metadata: { display: [{ name: 'Library card', locale: 'en' }], claims: [{ path: ['reader'] }] }, ...more,
  }
}

const identifierOf = (offer) => `card-of-${offer.code}`
const refusal = (error) => Object.assign(new Error(error), { errorResponse: { error } })

/** The offer that an access token came from. */
async function entitled(request) {
  const { tokenPayload } = await resources.verifyResourceRequest({
    request, resourceServer: me, authorizationServers: [serverMetadata],
    allowedAuthenticationSchemes: [SupportedAuthenticationScheme.DPoP],
  })
  return offers.get(tokenPayload.sub)
}

/** What a request says, and how it is answered: encrypted, both, if this issuer is sealed. */
async function opened({ request, body, raw }, { clear }) {
  if (!sealed) return { told: body, answer: (json, status) => ({ json, status }) }
  if (request.headers.get('content-type') !== 'application/jwt') throw refusal('invalid_encryption_parameters')
  // The library's request wants an `alg` beside the key, as drafts did; 1.0 has it in the key, so it is read here.
  const { credential_response_encryption: wish, ...told } = await sealing.open(raw)
  return {
    told,
    answer: async (json, status) => (clear ? { json, status }
      : { text: await sealTo(wish.jwk, wish.enc, json), type: 'application/jwt', status }),
  }
}

/** The key of a proof: `jwt` with a key attestation, or `attestation`, for a nonce of ours, once. */
async function provedKey({ jwt, attestation }) {
  const [proof] = jwt ?? attestation
  const { nonce } = JSON.parse(Buffer.from(proof.split('.')[1], 'base64url'))
  if (!nonces.delete(nonce)) throw refusal('invalid_nonce')
  if (jwt) {
    const proved = await issuer.verifyCredentialRequestJwtProof({ issuerMetadata, jwt: proof, expectedNonce: nonce })
    checkChain(proved.keyAttestation.header.x5c, anchor)
    return proved.signer.publicJwk
  }
  const attested = await issuer.verifyCredentialRequestAttestationProof({ keyAttestationJwt: proof, expectedNonce: nonce })
  checkChain(attested.header.x5c, anchor)
  return attested.payload.attested_keys[0]
}

async function credentialFor({ kty, crv, x, y }) {
  const instance = new SDJwtVcInstance({
    hasher: (data, alg) => new Uint8Array(hash(data, alg)), hashAlg: 'sha-256', saltGenerator: (length) => randomBytes(length).toString('base64url'),
    signAlg: 'ES256',
    signer: async (data) => sign('sha256', Buffer.from(data), {
      key: KeyObject.from(await privateKeyOf(own)), dsaEncoding: 'ieee-p1363',
    }).toString('base64url'),
  })
  return instance.issue(
    { iss: me, vct: VCT, iat: Math.floor(Date.now() / 1000), cnf: { jwk: { kty, crv, x, y } }, reader: '李样本',
      address: { street: '示例路', town: '示例' }, books: ['a', 'b'] },
    { _sd: ['reader', 'address', 'books'], address: { _sd: ['street', 'town'] } }, { header: { x5c } },
  )
}
