// A small HTTP server for the strangers: handlers by path, JSON or text answers, errors as OAuth's.
import { createServer } from 'node:http'

/** Serve until killed: {path: async ({query, body, raw, request, path}) → {status?, json?, text?, type?, headers?}}. */
export function serve(port, handlers) {
  const server = createServer(async (incoming, outgoing) => {
    const url = new URL(incoming.url, `http://127.0.0.1:${port}`)
    const chunks = []
    for await (const chunk of incoming) chunks.push(chunk)
    const raw = Buffer.concat(chunks).toString()
    const type = incoming.headers['content-type'] ?? ''
    const body = type.includes('json') ? JSON.parse(raw) : Object.fromEntries(new URLSearchParams(raw))
    const request = { headers: new Headers(incoming.headers), method: incoming.method, url: url.toString() }
    const name = Object.keys(handlers).find((one) => url.pathname === one || url.pathname.startsWith(`${one}/`))
    let answer
    try {
      answer = name ? await handlers[name]({ query: url.searchParams, body, raw, request, path: url.pathname }) : { status: 404 }
    } catch (error) {
      console.error(error)
      answer = { status: error.status ?? 400, json: error.errorResponse ?? { error: 'invalid_request', error_description: String(error) } }
    }
    const content = answer.json !== undefined ? JSON.stringify(answer.json) : answer.text ?? ''
    outgoing.writeHead(answer.status ?? 200, {
      'Content-Type': answer.type ?? (answer.json !== undefined ? 'application/json' : 'text/plain'), ...answer.headers,
    })
    outgoing.end(content)
  })
  server.listen(port, '127.0.0.1', () => console.log('ready'))
}
