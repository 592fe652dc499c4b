// A foreign wallet takes credentials by offer (OpenID4VCI), with the @openid4vc client.
import { Openid4vciClient } from '@openid4vc/openid4vci'
import { callbacks, newKey } from './callbacks.mjs'

const client = new Openid4vciClient({ callbacks })

/** Take what an offer holds: {link, txCode, keys, dpop} → credentials and what was learnt on the way. */
export async function takeOffer({ link, txCode, keys = 1, dpop = true, refresh = false }) {
  const credentialOffer = await client.resolveCredentialOffer(link)
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
  const signer = { method: 'jwk', alg: 'ES256', publicJwk: await newKey() }
  const got = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, txCode, dpop: dpop ? { signer } : undefined,
  })
  const configuration = credentialOffer.credential_configuration_ids[0]
  const { c_nonce } = await client.requestNonce({ issuerMetadata })
  const jwt = []
  const holderKeys = []
  for (let one = 0; one < keys; one++) {
    const publicJwk = await newKey()
    holderKeys.push(publicJwk)
    const proof = await client.createCredentialRequestJwtProof({
      issuerMetadata, credentialConfigurationId: configuration, nonce: c_nonce,
      signer: { method: 'jwk', alg: 'ES256', publicJwk },
    })
    jwt.push(proof.jwt)
  }
  const answer = await client.retrieveCredentials({
    accessToken: got.accessTokenResponse.access_token, issuerMetadata, dpop: got.dpop,
    credentialConfigurationId: configuration, proofs: { jwt },
  })
  const response = answer.credentialResponse
  if (response.notification_id) {
    await client.sendNotification({
      accessToken: got.accessTokenResponse.access_token, issuerMetadata, dpop: answer.dpop ?? got.dpop,
      notification: { notificationId: response.notification_id, event: 'credential_accepted' },
    })
  }
  return {
    metadata: issuerMetadata.credentialIssuer, tokenType: got.accessTokenResponse.token_type,
    refresh: refresh && got.accessTokenResponse.refresh_token,
    credentials: (response.credentials ?? []).map((one) => one.credential),
    transaction: response.transaction_id, holderKeys,
  }
}
