// As wallet.mjs, but the agency revokes between taking and showing: {offers, request, revoke: {url, token, cause}}.
import { answerRequest } from './answer_request.mjs'
import { main } from './callbacks.mjs'
import { takeOffer } from './take_offer.mjs'

await main(async ({ offers, request, revoke }) => {
  const credentials = []
  for (const offer of offers) {
    const { credentials: texts, holderKeys } = await takeOffer(offer)
    credentials.push({ text: texts[0], key: holderKeys[0] })
  }
  const revoked = await fetch(revoke.url, {
    method: 'POST', headers: { Authorization: revoke.token, 'Content-Type': 'application/json' },
    body: JSON.stringify({ cause: revoke.cause }),
  })
  if (revoked.status !== 200) throw new Error(`not revoked: ${await revoked.text()}`)
  return { answered: await answerRequest({ request, credentials }) }
})
