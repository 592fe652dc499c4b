// A holder's wallet that takes credentials from any OpenID4VCI 1.0 issuer by pre-authorized code, over and over:
// `node holder.mjs BASE_URL`; JSON lines, see README.md. Plain fetch and node:crypto; bearer tokens, a JWT proof.
import { generateKeyPairSync, sign } from 'node:crypto'
import { answerLines } from '../lines.mjs'

const GRANT = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

async function call(url, options) {
  const response = await fetch(url, options)
  const text = await response.text()
  if (!response.ok) throw new Error(`${options?.method ?? 'GET'} ${url}: ${response.status} ${text.slice(0, 300)}`)
  return JSON.parse(text)
}

const post = (url, body, headers = {}) => call(url, {
  method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body),
})

function newKey() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { jwk: publicKey.export({ format: 'jwk' }), privateKey }
}

/** The proof of possession of a key (OpenID4VCI appendix F.1). */
function proof({ jwk, privateKey }, audience, nonce) {
  const header = { alg: 'ES256', typ: 'openid4vci-proof+jwt', jwk }
  const signed = `${encode(header)}.${encode({ aud: audience, iat: Math.floor(Date.now() / 1000), nonce })}`
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

/** The address of an issuer's metadata: well-known, between host and path. */
function wellKnown(issuer, name) {
  const { origin, pathname } = new URL(issuer)
  return `${origin}/.well-known/${name}${pathname === '/' ? '' : pathname}`
}

async function readOffer(link) {
  const query = new URL(link).searchParams
  return query.has('credential_offer') ? JSON.parse(query.get('credential_offer')) : call(query.get('credential_offer_uri'))
}

async function readMetadata(issuer) {
  const metadata = await call(wellKnown(issuer, 'openid-credential-issuer'))
  const server = metadata.authorization_servers?.[0] ?? issuer
  return { ...metadata, token_endpoint: (await call(wellKnown(server, 'oauth-authorization-server'))).token_endpoint }
}

/** Take what one offer holds; the credential, bound to the key. */
async function take({ link, tx_code }, key, metadataOf) {
  const offer = await readOffer(link)
  const issuer = offer.credential_issuer
  const metadata = await metadataOf(issuer)
  const form = { grant_type: GRANT, 'pre-authorized_code': offer.grants[GRANT]['pre-authorized_code'] }
  const body = new URLSearchParams(tx_code ? { ...form, tx_code } : form)
  const { access_token } = await call(metadata.token_endpoint, { method: 'POST', body })
  const { c_nonce } = await call(metadata.nonce_endpoint, { method: 'POST' })
  const request = {
    credential_configuration_id: offer.credential_configuration_ids[0],
    proofs: { jwt: [proof(key, issuer, c_nonce)] },
  }
  const answer = await post(metadata.credential_endpoint, request, { Authorization: `Bearer ${access_token}` })
  const credential = answer.credentials?.[0].credential
  const { cnf } = JSON.parse(Buffer.from(credential.split('.')[1], 'base64url'))
  if (cnf.jwk.x !== key.jwk.x) throw new Error('the credential is bound to another key')
  return credential
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]

await answerLines((setUp) => {
  const { flows = 4, fresh_key = true, keep_metadata = false, url, headers, body = {} } = setUp
  const source = url ?? `${process.argv[2]}/offer`
  const reused = newKey()
  const kept = new Map()
  const metadataOf = async (issuer) => {
    if (!keep_metadata) return readMetadata(issuer)
    if (!kept.has(issuer)) kept.set(issuer, readMetadata(issuer))
    return kept.get(issuer)
  }

  return async ({ seconds, offers }) => {
    const waiting = offers?.map((one) => (typeof one === 'string' ? { link: one } : one))
    const spent = []
    let credential
    const started = performance.now()

    async function flow() {
      while (performance.now() - started < seconds * 1000) {
        const before = performance.now()
        const offer = waiting ? waiting.pop() : await post(source, body, headers)
        if (!offer) return
        credential = await take(offer, fresh_key ? newKey() : reused, metadataOf)
        spent.push(performance.now() - before)
      }
    }
    await Promise.all(Array.from({ length: flows }, flow))
    const took = (performance.now() - started) / 1000
    spent.sort((one, other) => one - other)
    return {
      count: spent.length, seconds: took, p50_ms: at(spent, 0.5), p99_ms: at(spent, 0.99), bytes: credential?.length ?? 0,
    }
  }
})
