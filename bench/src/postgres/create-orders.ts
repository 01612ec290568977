import { Client } from 'pg'

/** The table that requests and ORMs look into: a thousand orders. */
export async function createOrders(url: string): Promise<void> {
  const client = new Client(url)
  await client.connect()
  try {
    await client.query(`drop table if exists orders; create table orders (id int primary key, item text, cents int)`)
    await client.query(`insert into orders select n, 'tea', n * 7 from generate_series(1, 1000) n; analyze orders`)
  } finally {
    await client.end()
  }
}
