// A foreign wallet's session at an issuer once it has an access token (DPoP and nonces by @openid4vc), for what the
// library's own credential request cannot say.
import { resourceRequest } from '@openid4vc/oauth2'
import { Openid4vciClient } from '@openid4vc/openid4vci'
import { callbacks, newKey } from './callbacks.mjs'
import { sealTo } from './sealing.mjs'

/** Redeem an offer's pre-authorized code; `details` are `authorization_details` of the token request. */
export async function redeem({ link, txCode, details }) {
  const client = new Openid4vciClient({ callbacks })
  const credentialOffer = await client.resolveCredentialOffer(link)
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
  const got = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, txCode,
    additionalRequestPayload: details ? { authorization_details: details } : undefined,
    dpop: { signer: { method: 'jwk', alg: 'ES256', publicJwk: await newKey() } },
  })
  return sessionOf(client, issuerMetadata, credentialOffer.credential_configuration_ids[0], got)
}

/** What a wallet does with the token it got. */
export function sessionOf(client, issuerMetadata, configuration, got) {
  const token = got.accessTokenResponse
  return {
    client, issuerMetadata, configuration, token,
    with: { issuerMetadata, accessToken: token.access_token, dpop: got.dpop },
    nonce: async () => (await client.requestNonce({ issuerMetadata })).c_nonce,
    prove: async (publicJwk, nonce, keyAttestationJwt) => (await client.createCredentialRequestJwtProof({
      issuerMetadata, credentialConfigurationId: configuration, nonce, keyAttestationJwt,
      signer: { method: 'jwk', alg: 'ES256', publicJwk },
    })).jwt,
    /** POST to an endpoint of the issuer, `sealed` with {to, enc} if that is given; an encrypted answer is its text. */
    ask: async (endpoint, told, sealed) => {
      const { response } = await resourceRequest({
        callbacks, url: issuerMetadata.credentialIssuer[endpoint], accessToken: token.access_token, dpop: got.dpop,
        requestOptions: {
          method: 'POST', headers: { 'Content-Type': sealed ? 'application/jwt' : 'application/json' },
          body: sealed ? await sealTo(sealed.to, sealed.enc, told) : JSON.stringify(told),
        },
      })
      const encrypted = response.headers.get('content-type').startsWith('application/jwt')
      return { status: response.status, encrypted, answer: encrypted ? await response.text() : await response.json() }
    },
  }
}

/** The agency decides about an order that waits: {url, token}. */
export async function decide({ url, token }) {
  const answer = await fetch(url, { method: 'POST', headers: { Authorization: token } })
  if (answer.status !== 200) throw new Error(`the agency could not decide: ${await answer.text()}`)
}
