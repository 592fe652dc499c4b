// A foreign wallet asks by `authorization_details` instead of `scope`, and then by the credential identifiers it was given.
// {offer, details, ask?} by pre-authorized code, and {attester, signInLink} for the authorization code → what came; `ask` is a
// credential identifier of its own choice.
import { clientAuthenticationClientAttestationJwt, createClientAttestationJwt } from '@openid4vc/oauth2'
import { Openid4vciClient } from '@openid4vc/openid4vci'
import { callbacks, main, newKey, takeKey } from './callbacks.mjs'
import { redeem, sessionOf } from './session.mjs'
import { browse, CLIENT_ID, REDIRECT_URI } from './take_by_code.mjs'

await main(async ({ offer, attester, signInLink, details, ask }) => {
  const here = attester ? await byCode({ offer, attester, signInLink, details }) : await redeem({ link: offer, details })
  const { scope, authorization_details } = here.token
  return { scope, details: authorization_details, ...(await takeByIdentifier(here, ask)) }
})

async function byCode({ offer, attester, signInLink, details }) {
  await takeKey(attester.jwk)
  const clientAttestationJwt = await createClientAttestationJwt({
    callbacks, signer: { method: 'x5c', x5c: attester.x5c, alg: 'ES256' }, issuer: 'https://attester.example',
    clientId: CLIENT_ID, confirmation: { jwk: await newKey() }, expiresAt: new Date(Date.now() + 300_000),
    additionalPayload: { wallet_name: 'Other wallet' },
  })
  const client = new Openid4vciClient({
    callbacks: {
      ...callbacks, clientAuthentication: clientAuthenticationClientAttestationJwt({ clientAttestationJwt, callbacks }),
    },
  })
  const credentialOffer = await client.resolveCredentialOffer(offer)
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
  const dpop = { signer: { method: 'jwk', alg: 'ES256', publicJwk: await newKey() } }
  const begun = await client.createAuthorizationRequestUrlFromOffer({
    credentialOffer, issuerMetadata, clientId: CLIENT_ID, redirectUri: REDIRECT_URI, dpop,
    additionalRequestPayload: { authorization_details: details },
  })
  const { code } = await browse(begun.authorizationRequestUrl, signInLink)
  const got = await client.retrieveAuthorizationCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, authorizationCode: code, redirectUri: REDIRECT_URI,
    pkceCodeVerifier: begun.pkce.codeVerifier, dpop: begun.dpop ?? dpop,
  })
  return sessionOf(client, issuerMetadata, credentialOffer.credential_configuration_ids[0], got)
}

/** The credential request by identifier, in our own words: the library's client writes configuration ids only. */
async function takeByIdentifier(here, ask) {
  const holderKey = await newKey()
  const { status, answer } = await here.ask('credential_endpoint', {
    credential_identifier: ask ?? here.token.authorization_details[0].credential_identifiers[0],
    proofs: { jwt: [await here.prove(holderKey, await here.nonce())] },
  })
  return { status, answer, holderKey }
}
