// Fastify that checks Zoom's signature and keeps the notification in BullMQ before it answers.
// node door.mjs <port> <socket of the store> <secret>
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { Queue } from 'bullmq'
import Fastify from 'fastify'

const [port, path, secret] = process.argv.slice(2)
const queue = new Queue('notifications', {
  connection: { path, maxRetriesPerRequest: null },
  defaultJobOptions: { removeOnComplete: true },
})
const app = Fastify({ logger: false })
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => done(null, body))
app.post('/hooks/:provider/:address', async (request, reply) => {
  const stamp = request.headers['x-zm-request-timestamp']
  const content = Buffer.concat([Buffer.from(`v0:${stamp}:`), request.body])
  const expected = Buffer.from(`v0=${createHmac('sha256', secret).update(content).digest('hex')}`)
  const given = Buffer.from(request.headers['x-zm-signature'] ?? '')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    return reply.code(404).send()
  }
  const said = JSON.parse(request.body)
  const jobId = createHash('sha256').update(request.body).digest('hex')
  const kept = { account: said.payload.account_id, body: request.body.toString() }
  await queue.add('notification', kept, { jobId }) // the same body is the same job
  return reply.code(200).send()
})
await app.listen({ host: '127.0.0.1', port: Number(port) })
