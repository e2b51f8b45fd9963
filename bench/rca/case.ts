import type { RankingQuestion } from '../../agent/diagnosis/ranking/tracks.ts'

/** One recorded incident: what a ranking is asked, and what is known to be right. */
export interface RcaCase {
  /** Path of the case's folder below the data's; for a day with many faults, the day and the moment. */
  id: string
  dataset: 'Sock Shop' | 'PetShop' | 'Nezha'
  question: RankingQuestion
  /** The component that was broken; null when it is held out. */
  truth: string | null
}
