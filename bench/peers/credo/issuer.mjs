// An OpenID4VCI 1.0 issuer by Credo: `node issuer.mjs PORT`. POST /offer makes one pre-authorized offer of one SD-JWT VC
// of ten selectively disclosable claims, signed with P-256 under a self-signed certificate (`x5c`).
import { Kms, X509Module } from '@credo-ts/core'
import { OpenId4VcModule } from '@credo-ts/openid4vc'
import express from 'express'
import { startAgent } from './agent.mjs'

const port = Number(process.argv[2])
const baseUrl = `http://127.0.0.1:${port}`
const names = Array.from({ length: 10 }, (_, number) => `claim_${number}`)
const values = Object.fromEntries(names.map((name) => [name, 'a value of usual length']))
const vct = 'https://city.example/issuers/types/permit'

let entries = 0
const mapper = ({ holderBinding }) => ({
  type: 'credentials',
  format: 'dc+sd-jwt',
  credentials: holderBinding.keys.map((key) => ({
    payload: { vct, status: { status_list: { idx: entries++, uri: `${baseUrl}/status/1` } }, ...values },
    holder: { method: 'jwk', jwk: key.jwk },
    issuer: { method: 'x5c', x5c: [certificate], issuer: baseUrl },
    disclosureFrame: { _sd: names },
  })),
})

const app = express()
const agent = await startAgent({
  x509: new X509Module(),
  openid4vc: new OpenId4VcModule({
    app, issuer: { baseUrl: `${baseUrl}/oid4vci`, credentialRequestToCredentialMapper: mapper },
  }),
}, fetch)

const { publicJwk } = await agent.kms.createKey({ type: { kty: 'EC', crv: 'P-256' } })
const certificate = await agent.x509.createCertificate({
  authorityKey: Kms.PublicJwk.fromPublicJwk(publicJwk),
  issuer: { commonName: 'Peer' },
  validity: { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 86_400_000) },
  extensions: { subjectAlternativeName: { name: [{ type: 'url', value: baseUrl }] } },
})

await agent.openid4vc.issuer.createIssuer({
  issuerId: 'peer',
  accessTokenSignerKeyType: { kty: 'EC', crv: 'P-256' },
  credentialConfigurationsSupported: {
    permit: {
      format: 'dc+sd-jwt',
      vct,
      scope: 'permit',
      cryptographic_binding_methods_supported: ['jwk'],
      credential_signing_alg_values_supported: ['ES256'],
      proof_types_supported: { jwt: { proof_signing_alg_values_supported: ['ES256'] } },
      credential_metadata: { claims: names.map((name) => ({ path: [name] })) },
    },
  },
})

app.post('/offer', async (_request, response, next) => {
  try {
    const { credentialOffer } = await agent.openid4vc.issuer.createCredentialOffer({
      issuerId: 'peer', credentialConfigurationIds: ['permit'], preAuthorizedCodeFlowConfig: {}, version: 'v1',
    })
    response.json({ link: credentialOffer })
  } catch (error) {
    next(error)
  }
})
app.get('/healthz', (_request, response) => response.json({ status: 'ok' }))
app.listen(port, '127.0.0.1')
