// A foreign wallet proves its keys by key attestation: {link, attester, kind, keys?, bend?} → what the issuer answered.
// `kind` is attestation or jwt; `bend` says what is wrong: typ, nonce, no nonce, other keys, twice, over.
import { createKeyAttestationJwt } from '@openid4vc/openid4vci'
import { callbacks, main, newKey, takeKey } from './callbacks.mjs'
import { redeem } from './session.mjs'

await main(async ({ link, attester, kind, keys = 1, bend }) => {
  await takeKey(attester.jwk)
  const here = await redeem({ link })
  const holderKeys = await Promise.all(Array.from({ length: keys }, newKey))
  const nonce = bend === 'no nonce' ? undefined : await here.nonce()
  const signer = { method: 'x5c', x5c: attester.x5c, alg: 'ES256' }
  const attested = await attest(signer, {
    use: `proof_type.${kind}`, nonce: bend === 'nonce' ? 'nonce-of-nobody' : nonce,
    attestedKeys: bend === 'other keys' ? [await newKey()] : holderKeys,
    lives: bend === 'over' ? -60 : 300,
  }, bend === 'typ')
  const proofs = kind === 'attestation'
    ? { attestation: bend === 'twice' ? [attested, attested] : [attested] }
    : { jwt: await Promise.all(holderKeys.map((key) => prove(here, key, nonce, attested, bend))) }
  const { credentialResponse } = await here.client.retrieveCredentials({
    ...here.with, credentialConfigurationId: here.configuration, proofs,
  })
  return { credentials: credentialResponse.credentials.map((one) => one.credential), holderKeys }
})

/** The library's key attestation, by its final name: the library still writes the drafts' `keyattestation+jwt`. */
async function attest(signer, { lives, ...what }, draft) {
  const now = Date.now()
  const signJwt = (by, { header, payload }) =>
    callbacks.signJwt(by, { header: draft ? header : { ...header, typ: 'key-attestation+jwt' }, payload })
  return createKeyAttestationJwt({
    callbacks: { ...callbacks, signJwt }, signer, ...what,
    issuedAt: new Date(now - 120_000), expiresAt: new Date(now + lives * 1000),
  })
}

/** A `jwt` proof with the attestation in its header; the library will not make one by a key that is not attested. */
async function prove(here, key, nonce, keyAttestation, bend) {
  if (bend !== 'other keys') return here.prove(key, nonce, keyAttestation)
  const header = { alg: 'ES256', typ: 'openid4vci-proof+jwt', jwk: key, key_attestation: keyAttestation }
  const payload = { aud: here.issuerMetadata.credentialIssuer.credential_issuer, iat: Math.floor(Date.now() / 1000), nonce }
  return (await callbacks.signJwt({ method: 'jwk', publicJwk: key }, { header, payload })).jwt
}
