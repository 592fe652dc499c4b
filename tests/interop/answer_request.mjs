// A foreign wallet answers a request (OpenID4VP), with the @openid4vc, dcql and @sd-jwt libraries.
import { KeyObject, sign } from 'node:crypto'
import { Openid4vpClient } from '@openid4vc/openid4vp'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { DcqlQuery } from 'dcql'
import { CompactEncrypt, importJWK } from 'jose'
import { callbacks, hash, namesOf, privateKeyOf } from './callbacks.mjs'
import { resolvePreRegistered } from './pre_registered.mjs'

const client = new Openid4vpClient({
  callbacks: {
    ...callbacks,
    encryptJwe: async (encryptor, data) => {
      const header = { alg: encryptor.alg, enc: encryptor.enc, kid: encryptor.publicJwk.kid }
      const key = await importJWK(encryptor.publicJwk, encryptor.alg)
      const jwe = await new CompactEncrypt(new TextEncoder().encode(data)).setProtectedHeader(header).encrypt(key)
      return { jwe, encryptionJwk: encryptor.publicJwk }
    },
    decryptJwe: () => ({ decrypted: false }),
    getX509CertificateMetadata: namesOf,
  },
})

/** Answer a request with held credentials: {request, credentials: [{text, key}]} → what the verifier answered.
 * `change` bends the answer; `registered` is the one verifier that this wallet knows beforehand.
 */
export async function answerRequest({ request, credentials, change, registered }) {
  const parsed = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: request })
  const resolved = registered
    ? await resolvePreRegistered(parsed.params, registered)
    : await client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: parsed.params })
  const asked = resolved.authorizationRequestPayload
  const held = await Promise.all(credentials.map(open))
  const query = DcqlQuery.parse(resolved.dcql.query)
  DcqlQuery.validate(query)
  const matched = DcqlQuery.query(query, held.map(({ claims, vct }) => ({
    credential_format: 'dc+sd-jwt', vct, claims, cryptographic_holder_binding: true,
  })))
  if (!matched.can_be_satisfied && !change?.force) return { status: 0, answer: 'cannot be satisfied', asked }
  const vp_token = {}
  const matches = Object.entries(matched.credential_matches).filter(([, match]) => match.success)
  const transactions = resolved.transactionData ?? []
  for (const [id, match] of matches) {
    const one = held[match.valid_credentials[0].input_credential_index]
    const wanted = query.credentials.find((each) => each.id === id).claims.map((claim) => claim.path[0])
    const hashes = hashesOf(id, matches.map(([each]) => each), transactions, change?.transactions)
    vp_token[id] = [await present(one, wanted, asked, change, hashes)]
  }
  const response = await client.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: asked,
    clientMetadata: asked.client_metadata,
    authorizationResponsePayload: { vp_token },
    jarm: asked.response_mode === 'direct_post.jwt' ? {
      encryption: { nonce: 'bm9uY2U' },
      serverMetadata: {
        authorization_signing_alg_values_supported: ['ES256'],
        authorization_encryption_alg_values_supported: ['ECDH-ES'],
        authorization_encryption_enc_values_supported: ['A256GCM'],
      },
    } : undefined,
  })
  const sent = await client.submitOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: asked,
    authorizationResponsePayload: response.authorizationResponsePayload,
    jarm: response.jarm,
  })
  return {
    status: sent.response.status, answer: await sent.response.json(),
    presented: Object.keys(vp_token), agreedTo: transactions.map((one) => one.transactionData), client: resolved.client.identifier ?? asked.client_id,
  }
}

async function open({ text, key }) {
  const instance = sdJwt(key)
  const decoded = await instance.decode(text)
  const claims = await decoded.getClaims(async (data, alg) => new Uint8Array(hash(data, alg)))
  return { text, key, instance, claims, vct: claims.vct }
}

/** The transaction data that a presentation signs: each by the first of its credentials that is presented (section 8.4). */
function hashesOf(id, presented, transactions, how) {
  const mine = transactions.filter(({ transactionData: { credential_ids: ids } }) =>
    how === 'by each' ? ids.includes(id) : ids.find((each) => presented.includes(each)) === id)
  const texts = how === 'none' ? [] : mine.map(({ encoded }) => (how === 'of another' ? `${encoded}A` : encoded))
  return texts.length ? { transaction_data_hashes: texts.map((one) => hash(one, 'sha-256').toString('base64url')) } : {}
}

async function present({ text, instance, claims }, wanted, asked, change = {}, hashes = {}) {
  const frame = Object.fromEntries(wanted.filter((name) => name in claims).map((name) => [name, true]))
  return instance.present(text, frame, {
    kb: {
      payload: {
        iat: Math.floor(Date.now() / 1000), aud: change.aud ?? asked.client_id, nonce: change.nonce ?? asked.nonce,
        ...hashes,
      },
    },
  })
}

function sdJwt(key) {
  return new SDJwtVcInstance({
    hasher: (data, alg) => new Uint8Array(hash(data, alg)), hashAlg: 'sha-256',
    saltGenerator: () => 'unused', kbSignAlg: 'ES256',
    kbSigner: async (input) => {
      const signer = KeyObject.from(await privateKeyOf(key))
      return sign('sha256', Buffer.from(input), { key: signer, dsaEncoding: 'ieee-p1363' }).toString('base64url')
    },
  })
}
