// A Credo agent whose keys and records are in an Askar store: SQLite in memory, one connection.
import { EventEmitter } from 'node:events'
import { askar } from '@openwallet-foundation/askar-nodejs' // before @credo-ts/askar, which finds it registered
import { Agent, ConsoleLogger, LogLevel } from '@credo-ts/core'
import { AskarModule } from '@credo-ts/askar'

// What @credo-ts/node would supply. Version 0.6.3 of it is not in every registry, and nothing here reads a file or
// opens a web socket.
class NoFiles {}
class NoSockets {}

/** A started agent with these modules; `fetch` is what it fetches with. */
export async function startAgent(modules, fetch) {
  const agent = new Agent({
    config: { logger: new ConsoleLogger(LogLevel.Warn), allowInsecureHttpUrls: true },
    dependencies: { FileSystem: NoFiles, EventEmitterClass: EventEmitter, WebSocketClass: NoSockets, fetch },
    modules: {
      askar: new AskarModule({
        askar,
        store: {
          id: 'peer', key: askar.storeGenerateRawKey({}), keyDerivationMethod: 'raw',
          database: { type: 'sqlite', config: { inMemory: true } },
        },
      }),
      ...modules,
    },
  })
  await agent.initialize()
  return agent
}
