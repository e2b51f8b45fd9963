/** Pages of the console. `consoleUrl` is its origin, with or without a trailing slash. */
export function incidentPage(consoleUrl: string, incidentId: string): string {
  return `${consoleUrl.replace(/\/+$/, '')}/#/incidents/${segment(incidentId)}`
}

/** An approval has its place on its incident's page. */
export function approvalPage(consoleUrl: string, incidentId: string, requestId: string): string {
  return `${incidentPage(consoleUrl, incidentId)}/${segment(requestId)}`
}

export function evidencePage(consoleUrl: string, incidentId: string, label: string): string {
  return `${incidentPage(consoleUrl, incidentId)}/${segment(label)}`
}

/** The draft as a document, for a reader who is signed in. */
export function postmortemPage(consoleUrl: string, incidentId: string): string {
  return `${consoleUrl.replace(/\/+$/, '')}/api/v1/incidents/${segment(incidentId)}/postmortem.md`
}

function segment(id: string): string {
  return encodeURIComponent(id.toWellFormed())
}
