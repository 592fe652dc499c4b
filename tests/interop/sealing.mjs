// Encryption as OpenID4VCI section 10 wants it, with jose: the @openid4vc clients send and read plain bodies only.
import { CompactEncrypt, compactDecrypt, exportJWK, generateKeyPair, importJWK } from 'jose'

/** A new key to be encrypted to: its public JWK, and what opens JSON that came for it. */
export async function sealingKey(kid) {
  const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
  return {
    publicJwk: { ...(await exportJWK(publicKey)), kid, use: 'enc', alg: 'ECDH-ES' },
    open: async (jwe) => JSON.parse(new TextDecoder().decode((await compactDecrypt(jwe, privateKey)).plaintext)),
  }
}

/** Encrypt JSON to the owner of a key. */
export async function sealTo(jwk, enc, told) {
  return new CompactEncrypt(new TextEncoder().encode(JSON.stringify(told)))
    .setProtectedHeader({ alg: 'ECDH-ES', enc, kid: jwk.kid })
    .encrypt(await importJWK(jwk, 'ECDH-ES'))
}
