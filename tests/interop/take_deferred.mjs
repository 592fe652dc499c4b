// A foreign wallet takes what an agency has yet to approve: {link, decide: {url, token}, keys?} → every answer on the way.
import { main, newKey } from './callbacks.mjs'
import { decide, redeem } from './session.mjs'

await main(async ({ link, decide: decision, keys = 1 }) => {
  const here = await redeem({ link })
  const holderKeys = await Promise.all(Array.from({ length: keys }, newKey))
  const nonce = await here.nonce()
  const first = await here.client.retrieveCredentials({
    ...here.with, credentialConfigurationId: here.configuration,
    proofs: { jwt: await Promise.all(holderKeys.map((key) => here.prove(key, nonce))) },
  })
  const { transaction_id: transactionId, interval } = first.credentialResponse
  const poll = (one) => answered(() => here.client.retrieveDeferredCredentials({ ...here.with, transactionId: one }))
  const early = await poll(transactionId)
  const strange = await poll('transaction-of-nobody')
  await decide(decision)
  const late = await poll(transactionId)
  return {
    status: first.response.status, transactionId, interval, early, strange, late, again: await poll(transactionId), holderKeys,
  }
})

/** What the issuer answered; the library refuses a `notification_id` beside deferred credentials, so it is read anew. */
async function answered(work) {
  try {
    const { response, deferredCredentialResponse } = await work()
    return { status: response.status, ...deferredCredentialResponse }
  } catch (error) {
    if (!error.response) throw error
    return { status: error.response.response.status, ...(await error.response.response.json()) }
  }
}
