// A status list, inflated once and kept, as every verifier of the benchmark keeps it (Token Status List section 4).
import { inflateSync } from 'node:zlib'

/** Take {bits, lst} as a status list token has them; reads one entry. */
export function keepStatusList({ bits, lst }) {
  const bytes = inflateSync(Buffer.from(lst, 'base64url'))
  return (index) => {
    const at = index * bits
    if (!Number.isInteger(index) || index < 0 || at >= bytes.length * 8) throw new Error('no such status entry')
    return (bytes[at >> 3] >> (at & 7)) & ((1 << bits) - 1)
  }
}

/** What the libraries leave to their caller: to whom the key binding speaks, and that it was made in this minute. */
export function checkBinding({ aud, iat }, { audience, now }) {
  if (aud !== audience) throw new Error('wrong audience')
  if (!(iat <= now + 10 && now - iat <= 60)) throw new Error('stale presentation')
}
