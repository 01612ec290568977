/** A note, as its tenant sees it. */
export interface Note {
  readonly id: number
  readonly tenantId: string
  readonly text: string
}

/** The notes of whoever asks. No statement says whose: the session does. */
export interface Notes {
  all(): Promise<Note[]>
  one(id: number): Promise<Note | undefined>
  write(text: string): Promise<Note>
}
