// A foreign wallet encrypts its credential request, and has the answer encrypted: {link, enc, answerEnc?, plain?, otherKey?,
// openAnswer?, decide?} → what came, opened.
import { main, newKey } from './callbacks.mjs'
import { sealingKey } from './sealing.mjs'
import { decide, redeem } from './session.mjs'

await main(async ({ link, enc, answerEnc = enc, plain, otherKey, openAnswer, decide: decision }) => {
  const here = await redeem({ link })
  const told = here.issuerMetadata.credentialIssuer
  const own = await sealingKey('of-the-wallet')
  const to = otherKey ? (await sealingKey(told.credential_request_encryption.jwks.keys[0].kid)).publicJwk
    : told.credential_request_encryption.jwks.keys[0]
  const wish = openAnswer ? {} : { credential_response_encryption: { jwk: own.publicJwk, enc: answerEnc } }
  const ask = async (endpoint, body) => {
    const { status, encrypted, answer } = await here.ask(endpoint, { ...body, ...wish }, plain ? undefined : { to, enc })
    return { status, encrypted, answer: encrypted ? await own.open(answer) : answer, header: encrypted ? headerOf(answer) : {} }
  }
  const holderKey = await newKey()
  const first = await ask('credential_endpoint', {
    credential_configuration_id: here.configuration, proofs: { jwt: [await here.prove(holderKey, await here.nonce())] },
  })
  if (!decision) return { first, holderKey, told }
  await decide(decision)
  const later = await ask('deferred_credential_endpoint', { transaction_id: first.answer.transaction_id })
  return { first, later, holderKey, told }
})

function headerOf(jwe) {
  return JSON.parse(Buffer.from(jwe.split('.')[0], 'base64url'))
}
