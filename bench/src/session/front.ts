// Started by start-front.ts: stands before a server, holds back what the server says for a while, as a network does, and
// counts the round trips.
import { connect, createServer, type AddressInfo } from 'node:net'
import { MessageCounter } from './message-counter.js'

const [url = '', delay = '0'] = process.argv.slice(2)
const { hostname, port } = new URL(url)
const delayMs = Number(delay)
const counters: MessageCounter[] = []

const server = createServer({ noDelay: true }, (front) => {
  const counter = new MessageCounter()
  counters.push(counter)
  const behind = connect({ host: hostname, port: Number(port), noDelay: true })
  front.on('data', (chunk: Buffer) => {
    counter.take(chunk)
    behind.write(chunk)
  })
  behind.on('data', (chunk: Buffer) => {
    if (delayMs === 0) front.write(chunk)
    else setTimeout(() => front.write(chunk), delayMs)
  })
  front.on('close', () => behind.destroy()).on('error', () => {})
  behind.on('close', () => front.destroy()).on('error', () => {})
}).listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))

process.on('message', () => process.send?.(counters.reduce((sum, { count }) => sum + count, 0)))
process.on('disconnect', () => process.exit())
