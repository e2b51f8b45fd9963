/** Everything before this moment was not looked at, though it was asked for, and why, in words of ours. */
export interface Unread {
  before: Date
  why: string
}
