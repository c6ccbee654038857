// BullMQ, no-op jobs: node engine.mjs <socket of the store> <jobs> <concurrency>
// Fills, then works; answers with one JSON line.
import { Queue, Worker } from 'bullmq'

const [path, count, concurrency] = process.argv.slice(2)
const connection = { path, maxRetriesPerRequest: null }
const queue = new Queue('noop', { connection })
const jobs = Number(count)
for (let from = 0; from < jobs; from += 1000) {
  const batch = Array.from({ length: Math.min(1000, jobs - from) }, (_, n) => ({
    name: 'noop',
    data: { subject: `m${from + n}`, body: 'x'.repeat(32) },
    opts: { removeOnComplete: true },
  }))
  await queue.addBulk(batch)
}
let done = 0
let first = 0
let before
let finished
const last = new Promise((resolve) => { finished = resolve })
const worker = new Worker('noop', async () => {
  if (done === 0) {
    first = performance.now()
    before = process.cpuUsage()
  }
  done += 1
  if (done === jobs) finished()
}, { connection, concurrency: Number(concurrency) })
await last
const seconds = (performance.now() - first) / 1000
const { user, system } = process.cpuUsage(before)
console.log(JSON.stringify({ per_second: jobs / seconds, cpu_us: (user + system) / jobs }))
await worker.close()
await queue.close()
