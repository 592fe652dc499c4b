// What the @openid4vc clients ask of their host: keys, hashes, signatures. Node's own crypto and jose.
import { createHash, randomBytes } from 'node:crypto'
import { clientAuthenticationAnonymous, setGlobalConfig } from '@openid4vc/oauth2'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose'

setGlobalConfig({ allowInsecureUrls: true }) // the service under test listens on loopback

const privateKeys = new Map()

/** A new P-256 key: the public JWK; the private part stays here. */
export async function newKey() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const publicJwk = await exportJWK(publicKey)
  privateKeys.set(await calculateJwkThumbprint(publicJwk), privateKey)
  return publicJwk
}

export async function privateKeyOf(jwk) {
  const { kty, crv, x, y } = jwk
  return privateKeys.get(await calculateJwkThumbprint({ kty, crv, x, y }))
}

export const hash = (data, algorithm) => createHash(algorithm.replace('-', '')).update(data).digest()

export const callbacks = {
  hash,
  generateRandom: (length) => randomBytes(length),
  clientAuthentication: clientAuthenticationAnonymous(),
  signJwt: async (signer, { header, payload }) => {
    const jwk = signer.publicJwk
    const jwt = await new SignJWT(payload).setProtectedHeader(header).sign(await privateKeyOf(jwk))
    return { jwt, signerJwk: jwk }
  },
}

export { importJWK }

/** Read the one JSON argument from standard input, answer with JSON on standard output. */
export async function main(work) {
  const chunks = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  try {
    console.log(JSON.stringify({ ok: true, ...(await work(JSON.parse(Buffer.concat(chunks).toString()))) }))
  } catch (error) {
    const response = error.response?.credentialErrorResponseResult?.data ?? error.errorResponse
    console.log(JSON.stringify({ ok: false, error: String(error.message ?? error), response }))
  }
}
