// The peers' protocol: JSON lines. The first line is the set-up, every later one a command, each answered in one line.
import { createInterface } from 'node:readline'

/** Set up with the first line, then answer commands until standard input ends; whatever fails ends the process. */
export async function answerLines(setUp) {
  let command
  for await (const line of createInterface({ input: process.stdin })) {
    if (!line.trim()) continue
    if (!command) command = await setUp(JSON.parse(line))
    else process.stdout.write(`${JSON.stringify(await command(JSON.parse(line)))}\n`)
  }
  process.exit(0)
}

/** Run `work` over and over, one after another, for some seconds. */
export async function forSeconds(seconds, work) {
  const started = performance.now()
  let count = 0
  let spent = 0
  while (spent < seconds) {
    for (let one = 0; one < 20; one++) await work(count++)
    spent = (performance.now() - started) / 1000
  }
  return { count, seconds: spent }
}
