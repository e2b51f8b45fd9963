import { fitsOnCard, RENDER_VERSION, renderHash } from './messages/plan-facts.ts'

/** How a plan becomes a card. */
export const PLAN_CARD = { fits: fitsOnCard, renderHash, renderVersion: RENDER_VERSION }
