// Verification of a presentation with @sd-jwt/sd-jwt-vc and node:crypto.
//
// node:crypto's `verify` rather than webcrypto's `subtle.verify`: called one after another it is the faster of the two.
import { createPublicKey, hash, verify } from 'node:crypto'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { checkBinding, keepStatusList } from './status.mjs'

const keyOf = (jwk) => {
  if (jwk?.kty !== 'EC' || jwk.crv !== 'P-256') throw new Error('not a P-256 key')
  return createPublicKey({ key: jwk, format: 'jwk' })
}

const es256 = (key, data, signature) =>
  verify('sha256', Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))

const hasher = (data, algorithm) => {
  if (algorithm !== 'sha-256') throw new Error('only sha-256')
  return hash('sha256', typeof data === 'string' ? data : new Uint8Array(data), 'buffer')
}

// Given a list, the library inflates and decodes all of it, entry by entry, for each presentation; there is no way to
// hand it one that is inflated already. So its status step is replaced: one entry read from bytes inflated beforehand.
class KeptStatus extends SDJwtVcInstance {
  constructor(config, read) {
    super(config)
    this.read = read
  }

  async verifyStatus({ payload }) {
    const reference = payload.status?.status_list
    if (reference && this.read(reference.idx) !== 0) throw new Error('status is not valid')
  }
}

/** The library's own status step, for comparison: a prefetched list whose signature is not verified once more. */
const prefetched = ({ bits, lst }) => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = `${part({ alg: 'ES256', typ: 'statuslist+jwt' })}.${part({ status_list: { bits, lst } })}.AA`
  return { statusListFetcher: async () => token, statusVerifier: async () => true }
}

/** Take {issuer_jwk, status, now, library_status?}; verifies a presentation and returns its claims, or throws. */
export function verifier({ issuer_jwk, status, now, library_status = false }) {
  const issuerKey = keyOf(issuer_jwk)
  const config = {
    hasher,
    verifier: async (data, signature) => es256(issuerKey, data, signature),
    kbVerifier: async (data, signature, payload) => es256(keyOf(payload.cnf?.jwk), data, signature),
  }
  const library = library_status
    ? new SDJwtVcInstance({ ...config, ...prefetched(status) })
    : new KeptStatus(config, keepStatusList(status))
  return async (presentation, audience, nonce) => {
    if (typeof nonce !== 'string' || !nonce) throw new Error('no nonce') // without one the library skips key binding
    const { payload, header, kb } = await library.verify(presentation, { currentDate: now, keyBindingNonce: nonce })
    if (header.alg !== 'ES256' || header.typ !== 'dc+sd-jwt') throw new Error('not an SD-JWT VC signed with ES256')
    checkBinding(kb.payload, { audience, now })
    return payload
  }
}
