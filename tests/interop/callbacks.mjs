// What the @openid4vc clients and servers ask of their host: keys, hashes, signatures. Node's own crypto and jose.
import { createHash, createPublicKey, randomBytes, X509Certificate } from 'node:crypto'
import { clientAuthenticationAnonymous, setGlobalConfig } from '@openid4vc/oauth2'
import { calculateJwkThumbprint, compactVerify, exportJWK, generateKeyPair, importJWK, importX509, SignJWT } from 'jose'

setGlobalConfig({ allowInsecureUrls: true }) // everything here listens on loopback

const privateKeys = new Map()

/** A new P-256 key: the public JWK; the private part stays here. */
export async function newKey() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const publicJwk = await exportJWK(publicKey)
  privateKeys.set(await calculateJwkThumbprint(publicJwk), privateKey)
  return publicJwk
}

/** Take a private JWK in; its public part. */
export async function takeKey(privateJwk) {
  const { kty, crv, x, y } = privateJwk
  privateKeys.set(await calculateJwkThumbprint({ kty, crv, x, y }), await importJWK(privateJwk, 'ES256'))
  return { kty, crv, x, y }
}

export async function privateKeyOf(jwk) {
  const { kty, crv, x, y } = jwk
  return privateKeys.get(await calculateJwkThumbprint({ kty, crv, x, y }))
}

export const pem = (der) => `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----`

/** The public JWK of a certificate (standard base64 of its DER). */
export const keyOf = (der) => createPublicKey(pem(der)).export({ format: 'jwk' })

/** DNS names and addresses of a certificate. */
export function namesOf(der) {
  const names = (new X509Certificate(pem(der)).subjectAltName ?? '').split(', ')
  const of = (kind) => names.filter((name) => name.startsWith(kind)).map((name) => name.slice(kind.length))
  return { sanDnsNames: of('DNS:'), sanUriNames: of('URI:') }
}

/** Raise unless a chain of one leaf is signed by the anchor (PEM). */
export function checkChain(x5c, anchorPem) {
  const anchor = new X509Certificate(anchorPem)
  const leaf = new X509Certificate(pem(x5c[0]))
  if (x5c.length !== 1 || !leaf.verify(anchor.publicKey) || leaf.issuer !== anchor.subject) {
    throw new Error('the certificate is not under the anchor')
  }
}

export const hash = (data, algorithm) => createHash(algorithm.replace('-', '')).update(data).digest()

export const callbacks = {
  hash,
  generateRandom: (length) => randomBytes(length),
  clientAuthentication: clientAuthenticationAnonymous(),
  signJwt: async (signer, { header, payload }) => {
    const jwk = signer.method === 'x5c' ? keyOf(signer.x5c[0]) : signer.publicJwk
    const jwt = await new SignJWT(payload).setProtectedHeader(header).sign(await privateKeyOf(jwk))
    return { jwt, signerJwk: jwk }
  },
  verifyJwt: async (signer, { compact }) => {
    const key = signer.method === 'x5c'
      ? await importX509(pem(signer.x5c[0]), 'ES256', { extractable: true })
      : await importJWK(signer.publicJwk, 'ES256', { extractable: true })
    try {
      await compactVerify(compact, key)
      return { verified: true, signerJwk: await exportJWK(key) }
    } catch {
      return { verified: false }
    }
  },
}

export { importJWK }

/** Read the one JSON argument from standard input, answer with JSON on standard output. */
export async function main(work) {
  try {
    console.log(JSON.stringify({ ok: true, ...(await work(JSON.parse(await input()))) }))
  } catch (error) {
    const response = error.response?.credentialErrorResponseResult?.data ?? error.errorResponse
    console.log(JSON.stringify({ ok: false, error: String(error.stack ?? error), response }))
  }
}

/** Standard input, whole. */
export async function input() {
  const chunks = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
