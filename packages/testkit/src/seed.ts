/** The same runs in each build: it must not fail by chance. What no build has seen yet, a run elsewhere may find. */
export const SEED: { readonly seed?: number } = process.env['CI'] === undefined ? {} : { seed: 20_261_122 }
