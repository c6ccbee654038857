// BullMQ and fetch, signed callbacks: node callbacks.mjs <socket of the store> <concurrency>
// Reads one JSON line: {"urls": [...], "bodies": [...], "secret": "..."}; every body goes to every
// URL. Says "filled", waits for a line, works, and answers with one JSON line.
import { createHmac } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Queue, Worker } from 'bullmq'

const [path, concurrency] = process.argv.slice(2)
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const { urls, bodies, secret } = JSON.parse((await lines.next()).value)
const connection = { path, maxRetriesPerRequest: null }
const queue = new Queue('callbacks', { connection })
const key = Buffer.from(secret, 'base64')
const jobs = urls.length * bodies.length
for (const [number, body] of bodies.entries()) {
  await queue.addBulk(urls.map((url, place) => ({
    name: 'callback',
    data: { id: `cb_${number}_${place}`, url, body },
    opts: { removeOnComplete: true, attempts: 10, backoff: { type: 'exponential', delay: 5000 } },
  })))
}
const log = createWriteStream('/dev/null')
let done = 0
let finished
const last = new Promise((resolve) => { finished = resolve })
console.log('filled')
await lines.next()
const before = process.cpuUsage()
const worker = new Worker('callbacks', async (job) => {
  const { id, url, body } = job.data
  const began = performance.now()
  const timestamp = String(Math.floor(Date.now() / 1000))
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  const answer = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    signal: AbortSignal.timeout(15000),
    headers: {
      'content-type': 'application/json',
      'user-agent': 'BullMQ',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    },
    body,
  })
  const excerpt = (await answer.text()).slice(0, 500)
  const took = Math.round(performance.now() - began)
  log.write(`${JSON.stringify({ event: 'callback.attempted', callback: id, status: answer.status, took })}\n`)
  if (!answer.ok) throw new Error(`answered ${answer.status}: ${excerpt}`)
  done += 1
  if (done === jobs) finished()
}, { connection, concurrency: Number(concurrency) })
await last
const { user, system } = process.cpuUsage(before)
console.log(JSON.stringify({ cpu_us: (user + system) / jobs }))
await worker.close()
await queue.close()
