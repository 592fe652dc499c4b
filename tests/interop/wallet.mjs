// The foreign wallet as one command: {offers: […], request?} on standard input, what came of it on standard output.
import { answerRequest } from './answer_request.mjs'
import { main } from './callbacks.mjs'
import { takeOffer } from './take_offer.mjs'

await main(async ({ offers, request, change, registered }) => {
  const taken = []
  for (const offer of offers) taken.push(await takeOffer(offer))
  const credentials = taken.flatMap((one) => one.credentials.map((text, at) => ({ text, key: one.holderKeys[at] })))
  return { taken, answered: request ? await answerRequest({ request, credentials, change, registered }) : undefined }
})
