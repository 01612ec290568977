/** Options after checking: every one has its value. `Required` would leave those undefined that may be given so. */
export type AllGiven<Options> = { readonly [Name in keyof Options]-?: Exclude<Options[Name], undefined> }
