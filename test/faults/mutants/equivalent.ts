/**
 * Mutants that no test can notice, each with the reason why it changes nothing. The run fails on a line that is not needed: one whose mutant is
 * gone, or is noticed.
 */
export const EQUIVALENT: Readonly<Record<string, string>> = {}
