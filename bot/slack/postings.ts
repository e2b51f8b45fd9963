/** A posting as it is stored; see the storage's own description. */
export interface StoredPosting {
  id: number
  kind: string
  ref: string
  incidentId: string | null
  body: Record<string, unknown> | null
  wanted: number
  head: string | null
  print: string | null
  place: string
  thread: string | null
  message: string | null
  begunAt: Date | null
  shownAt: Date | null
  nonce: string
  attempts: number
}

export interface NewPosting {
  kind: string
  ref: string
  incidentId: string | null
  priority: number
  place: string
}

/** Where postings wait and where they stand, of this surface. */
export interface PostingRows {
  draw(surface: 'slack', posting: NewPosting): Promise<void>
  say(surface: 'slack', posting: NewPosting & { body: Record<string, unknown>; thread: string | null }): Promise<boolean>
  finish(surface: 'slack', what: { kind: string; ref: string; body: Record<string, unknown> }): Promise<void>
  claim(surface: 'slack', leaseSeconds: number, notIn?: readonly string[]): Promise<StoredPosting | null>
  begin(id: number, thread?: string | null): Promise<void>
  shown(id: number, now: { message: string; wanted: number; head: string | null; print: string | null }): Promise<void>
  later(id: number, notBefore: Date, error?: string): Promise<void>
  move(id: number, place: string): Promise<void>
  bury(id: number, error: string): Promise<void>
  find(surface: 'slack', kind: string, ref: string): Promise<StoredPosting | null>
  at(surface: 'slack', place: string, message: string): Promise<StoredPosting | null>
  isHeldBeside(surface: 'slack', one: { id: number; kind: string; place: string }): Promise<boolean>
  incidentIn(surface: 'slack', place: string, thread: string): Promise<string | null>
  dropClaims(surface: 'slack'): Promise<void>
}
