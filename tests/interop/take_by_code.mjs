// A foreign wallet takes by authorization code: attestation, PAR, PKCE, DPoP, `iss`; the holder's browser is played here.
// {offer, attester: {x5c, jwk}, signInLink, scope?, keyAttestation?} → credentials and what was learnt on the way.
import { clientAuthenticationClientAttestationJwt, createClientAttestationJwt } from '@openid4vc/oauth2'
import { Openid4vciClient } from '@openid4vc/openid4vci'
import { callbacks, main, newKey, takeKey } from './callbacks.mjs'

export const CLIENT_ID = 'https://wallet.example'
export const REDIRECT_URI = 'https://wallet.example/callback'

if (process.argv[1].endsWith('take_by_code.mjs')) await main(async ({ offer, attester, signInLink, keyAttestation = false }) => {
  await takeKey(attester.jwk)
  const signer = { method: 'x5c', x5c: attester.x5c, alg: 'ES256' }
  const instance = await newKey()
  const clientAttestationJwt = await createClientAttestationJwt({
    callbacks, signer, issuer: 'https://attester.example', clientId: CLIENT_ID, confirmation: { jwk: instance },
    expiresAt: new Date(Date.now() + 300_000), additionalPayload: { wallet_name: 'Other wallet' },
  })
  const client = new Openid4vciClient({
    callbacks: {
      ...callbacks,
      clientAuthentication: clientAuthenticationClientAttestationJwt({ clientAttestationJwt, callbacks }),
    },
  })
  const credentialOffer = await client.resolveCredentialOffer(offer)
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
  const configuration = credentialOffer.credential_configuration_ids[0]
  const dpop = { signer: { method: 'jwk', alg: 'ES256', publicJwk: await newKey() } }
  const begun = await client.oauth2Client.createAuthorizationRequestUrl({
    authorizationServerMetadata: issuerMetadata.authorizationServers[0], clientId: CLIENT_ID, redirectUri: REDIRECT_URI, dpop,
    scope: issuerMetadata.credentialIssuer.credential_configurations_supported[configuration].scope,
    resource: issuerMetadata.credentialIssuer.credential_issuer, state: 'state-of-the-wallet',
    additionalRequestPayload: { issuer_state: credentialOffer.grants.authorization_code.issuer_state },
  })
  const answered = await browse(begun.authorizationRequestUrl, signInLink)
  const got = await client.retrieveAuthorizationCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, authorizationCode: answered.code, redirectUri: REDIRECT_URI,
    pkceCodeVerifier: begun.pkce.codeVerifier, dpop: begun.dpop ?? dpop,
  })
  const { c_nonce } = await client.requestNonce({ issuerMetadata })
  const key = await newKey()
  const keyAttestationJwt = keyAttestation ? await attest(signer, key, c_nonce) : undefined
  const proof = await client.createCredentialRequestJwtProof({
    issuerMetadata, credentialConfigurationId: configuration, nonce: c_nonce, keyAttestationJwt,
    signer: { method: 'jwk', alg: 'ES256', publicJwk: key },
  })
  const answer = await client.retrieveCredentials({
    accessToken: got.accessTokenResponse.access_token, issuerMetadata, dpop: got.dpop,
    credentialConfigurationId: configuration, proofs: { jwt: [proof.jwt] },
  })
  const refreshed = await client.oauth2Client.retrieveRefreshTokenAccessToken({
    authorizationServerMetadata: issuerMetadata.authorizationServers[0], dpop: got.dpop,
    refreshToken: got.accessTokenResponse.refresh_token,
  })
  return {
    iss: answered.iss, state: answered.state, tokenType: got.accessTokenResponse.token_type,
    scope: got.accessTokenResponse.scope, refreshed: refreshed.accessTokenResponse.token_type,
    credentials: answer.credentialResponse.credentials.map((one) => one.credential), key,
  }
})

/** A key attestation by its final name; the library still writes the drafts' `keyattestation+jwt`. */
async function attest(signer, key, nonce) {
  const now = Math.floor(Date.now() / 1000)
  const header = { alg: 'ES256', typ: 'key-attestation+jwt', x5c: signer.x5c }
  const payload = { iat: now, exp: now + 300, attested_keys: [key], nonce }
  return (await callbacks.signJwt(signer, { header, payload })).jwt
}

/** Play the holder's browser: read the page, sign in by link, come back to the page, agree, stop at the redirect. */
export async function browse(url, link) {
  const jar = new Map()
  const page = await visit(jar, url)
  if (!page.text.includes('Other wallet')) throw new Error('the page does not say who asks')
  const form = await visit(jar, new URL(page.text.match(/href='(\/wallet\/sign-in[^']+)'/)[1], url))
  const back = await send(jar, new URL('/wallet/sign-in/link', url), form.text, { link })
  const again = await visit(jar, new URL(back, url))
  const onward = await send(jar, url.split('?')[0], again.text, { decision: 'agree' })
  return Object.fromEntries(new URL(onward).searchParams)
}

async function visit(jar, url) {
  const answer = await fetch(url, { headers: { cookie: cookies(jar) }, redirect: 'manual' })
  keep(jar, answer)
  if (answer.status !== 200) throw new Error(`the page says ${answer.status}`)
  return { text: await answer.text() }
}

async function send(jar, url, page, told) {
  const body = new URLSearchParams(told)
  for (const [, name, value] of page.matchAll(/<input type=hidden name=(\w+) value='([^']*)'>/g)) {
    body.set(name, value.replaceAll('&amp;', '&').replaceAll('&#x27;', "'"))
  }
  const headers = { cookie: cookies(jar), origin: new URL(url).origin, 'sec-fetch-site': 'same-origin' }
  const answer = await fetch(url, { method: 'POST', body, headers, redirect: 'manual' })
  keep(jar, answer)
  if (answer.status !== 303) throw new Error(`${url} says ${answer.status}`)
  return answer.headers.get('location')
}

function keep(jar, answer) {
  for (const one of answer.headers.getSetCookie()) jar.set(...one.split(';')[0].split(/=(.*)/s))
}

function cookies(jar) {
  return [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
}
