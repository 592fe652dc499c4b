// POST /verify with Fastify and @sd-jwt/sd-jwt-vc: `node serve_fastify.mjs PORT`, set up by the file PEER_CONFIG names.
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { verifier } from './sdjwt.mjs'

const verify = verifier(JSON.parse(readFileSync(process.env.PEER_CONFIG, 'utf8')))
const text = { type: 'string', minLength: 1 }
const claims = { type: 'object', additionalProperties: true }
const schema = {
  body: {
    type: 'object',
    required: ['presentation', 'audience', 'nonce'],
    properties: { presentation: text, audience: text, nonce: text },
  },
  response: { 200: { type: 'object', properties: { verdict: { type: 'string' }, claims } } },
}

const app = Fastify()
app.get('/healthz', async () => ({ status: 'ok' }))
app.post('/verify', { schema }, async ({ body }, reply) => {
  try {
    return { verdict: 'accepted', claims: await verify(body.presentation, body.audience, body.nonce) }
  } catch (error) {
    return reply.code(400).send({ verdict: 'refused', reason: error.message })
  }
})
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })
