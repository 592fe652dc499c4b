// Verifies presentations with Credo for as long as it is told to; JSON lines, see README.md.
//
// Credo believes issuers named by a DID or by a certificate alone, not by a key it is told (`kid` of a known issuer). So
// each presentation is made anew before anything is timed: the same licence, disclosures and key binding, but issued by
// a did:jwk, which is resolved without a network. Its issuer's key is then read from the licence, not looked up.
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { answerLines, forSeconds } from '../lines.mjs'
import { checkBinding, keepStatusList } from '../status.mjs'
import { startAgent } from './agent.mjs'

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (text) => JSON.parse(Buffer.from(text, 'base64url'))
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

function token(header, payload, { privateKey }) {
  const signed = `${encode(header)}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

/** The presentation anew, by another issuer and holder; without its status unless Credo is to look at that itself. */
function madeAnew(presentation, issuer, holder, keepStatus) {
  const [licence, ...rest] = presentation.split('~')
  const [oldBinding, disclosures] = [rest.pop(), rest]
  const jwk = issuer.publicKey.export({ format: 'jwk' })
  const { status, ...claims } = decode(licence.split('.')[1])
  const payload = {
    ...claims, ...(keepStatus && { status }), iss: `did:jwk:${encode(jwk)}`,
    cnf: { jwk: holder.publicKey.export({ format: 'jwk' }) },
  }
  const signed = token({ alg: 'ES256', typ: 'dc+sd-jwt', kid: '#0' }, payload, issuer)
  const presented = [signed, ...disclosures, ''].join('~')
  const sd_hash = createHash('sha256').update(presented).digest('base64url')
  const binding = { ...decode(oldBinding.split('.')[1]), sd_hash }
  return { text: presented + token({ alg: 'ES256', typ: 'kb+jwt' }, binding, holder), index: status.status_list.idx }
}

await answerLines(async ({ presentations, audience, nonce, now, status, library_status = false }) => {
  // Credo fetches, inflates and decodes the list for each presentation, and verifies the list's signature with the
  // licence's issuer's key; it keeps none of it. So one entry of a list kept here is read instead, unless
  // `library_status` asks for Credo's own step, for comparison, with a list that "fetching" returns at once.
  const issuer = newKey()
  const list = token({ alg: 'ES256', typ: 'statuslist+jwt' }, { iat: now, status_list: status }, issuer)
  const agent = await startAgent({}, async () => new Response(list))
  const made = presentations.map((one) => madeAnew(one, issuer, newKey(), library_status))
  const read = keepStatusList(status)
  const date = new Date(now * 1000)

  async function verify({ text, index }) {
    const { isValid, error, sdJwtVc } = await agent.sdJwtVc.verify({
      compactSdJwtVc: text, keyBinding: { audience, nonce }, now: date,
    })
    if (!isValid) throw error
    checkBinding(sdJwtVc.kbJwt.payload, { audience, now })
    if (!library_status && read(index) !== 0) throw new Error('status is not valid')
    return sdJwtVc.prettyClaims
  }
  return ({ seconds }) => forSeconds(seconds, (at) => verify(made[at % made.length]))
})
