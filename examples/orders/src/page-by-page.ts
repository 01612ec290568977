/** Of each of them. */
const PAGE = 1_000

/**
 * All rows in the order of their ids, for ORMs that have no streams. A connection is borrowed for each page, and none
 * while the client takes its time to read.
 *
 * @param after reads at most `limit` rows whose ids are greater than `id`.
 */
export async function* pageByPage<Row extends { readonly id: number }>(
  after: (id: number, limit: number) => PromiseLike<readonly Row[]>,
): AsyncGenerator<Row> {
  for (let id = 0, isLast = false; !isLast;) {
    const page = await after(id, PAGE)
    yield* page
    isLast = page.length < PAGE
    id = page.at(-1)?.id ?? id
  }
}
