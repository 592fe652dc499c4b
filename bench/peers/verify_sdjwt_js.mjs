// Verifies presentations with @sd-jwt/sd-jwt-vc for as long as it is told to; JSON lines, see README.md.
import { answerLines, forSeconds } from './lines.mjs'
import { verifier } from './sdjwt.mjs'

await answerLines((setUp) => {
  const { presentations, audience, nonce } = setUp
  const verify = verifier(setUp)
  return ({ seconds }) => forSeconds(seconds, (at) => verify(presentations[at % presentations.length], audience, nonce))
})
