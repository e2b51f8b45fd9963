/**
 * What the page knows. Lists are null until they were read; what could not be read keeps its refusal.
 *
 * @typedef {{ title: string, detail: string | null, code: string }} Refused
 * @typedef {{ data: any, refused: Refused | null }} Loaded
 * @typedef {{ open: 'deny' | 'confirm' | null, busy: boolean, refused: Refused | null, done: string | null, key: string | null, about: string | null }} Panel
 * @typedef {{ key: string, at: Date, asked: string, blocks: any[] | null, refused: Refused | null }} Exchange
 * @typedef {{
 *   route: import('./route.js').Route,
 *   me: any,
 *   people: any[] | null,
 *   signIn: { way: 'provider' | 'name' | null, at: string | null } | null,
 *   signInRefused: Refused | null,
 *   sessionEnded: boolean,
 *   mode: import('./mode.js').Mode | null,
 *   modeRefused: (Refused & { status: number }) | null,
 *   control: { blocks: any[] | null, refused: Refused | null, about: string | null } | null,
 *   connection: 'connecting' | 'live' | 'lost',
 *   incidents: Loaded,
 *   ended: Loaded & { next: string | null, busy: boolean },
 *   pending: Loaded,
 *   incident: Loaded & { id: string, approvals: Map<string, any> },
 *   evidence: Loaded & { id: string, label: string },
 *   trace: Loaded & { id: string },
 *   drills: Loaded,
 *   running: any,
 *   run: any,
 *   drillRefused: (Refused & { name: string }) | null,
 *   services: Loaded,
 *   records: Loaded & { days: number, drills: boolean },
 *   audit: Loaded & { next: string | null, busy: boolean },
 *   report: Loaded & { busy: boolean, at: Date | null },
 *   panels: Record<string, Panel>,
 *   exchanges: Record<string, Exchange[]>,
 *   asking: boolean,
 *   announcement: string,
 * }} State
 */

/** @returns {Panel} */
export function closedPanel() {
  return { open: null, busy: false, refused: null, done: null, key: null, about: null }
}

/** @returns {State} */
export function firstState() {
  const nothing = () => ({ data: null, refused: null })
  return {
    route: { page: 'home', id: '', focus: '' },
    me: null,
    people: null,
    signIn: null,
    signInRefused: null,
    sessionEnded: false,
    mode: null,
    modeRefused: null,
    control: null,
    connection: 'connecting',
    incidents: nothing(),
    ended: { ...nothing(), next: null, busy: false },
    pending: nothing(),
    incident: { ...nothing(), id: '', approvals: new Map() },
    evidence: { ...nothing(), id: '', label: '' },
    trace: { ...nothing(), id: '' },
    drills: nothing(),
    running: null,
    run: null,
    drillRefused: null,
    services: nothing(),
    records: { ...nothing(), days: 30, drills: false },
    audit: { ...nothing(), next: null, busy: false },
    report: { ...nothing(), busy: false, at: null },
    panels: {},
    exchanges: {},
    asking: false,
    announcement: '',
  }
}
