import { startPostgres } from './src/postgres/index.js'
import { spawnSync } from 'node:child_process'
import { Client } from 'pg'
import { writeFileSync } from 'node:fs'
const server = await startPostgres()
try {
  const c = new Client(server.url); await c.connect()
  await c.query(`create role testuser superuser login password 'knextest'`)
  for (const ours of (process.env.ONLY ?? '0,1').split(',')) {
    await c.query('drop database if exists knex_test with (force)'); await c.query('create database knex_test owner testuser')
    const r = spawnSync('node', ['-r', '/tmp/preload.cjs', 'node_modules/mocha/bin/mocha.js', '--exit', '-t', '10000', '--reporter', 'json', '--reporter-option', `output=/tmp/knex-${ours}.json`, '--config', 'test/mocha-integration-config-test.js'], { cwd: '/tmp/knexsrc', encoding: 'utf8', timeout: 280_000, env: { ...process.env, NODE_PATH: '/work/main/node_modules', DB: 'postgres', URL: server.url, OURS: ours } })
    writeFileSync(`/tmp/knex-${ours}.log`, r.stdout + r.stderr)
    console.log(ours, r.status, r.signal, (r.stdout + r.stderr).slice(-300))
  }
  await c.end()
} finally { await server.stop() }
