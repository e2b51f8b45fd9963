/** How what is deployed of a service can be changed where it is written down, by an action of somebody else's than whoever deploys it. */
export interface DurableWay {
  environment: string
  service: string
  /** As `repositoryKey` names it. */
  repository: string
  /** What a person would type. */
  command: string
}

/** One name for a repository, however its address is written: 'github.com/acme/deploy'. Null for what is no address of one. */
export function repositoryKey(address: string): string | null {
  const web = /^(?:https?|ssh):\/\/(?:[^@/]*@)?([^/:]+)(?::\d+)?\/(.+)$/i.exec(address)
  const [, host, path] = web ?? /^(?:[\w.-]+@)?([\w.-]+):(?!\/\/)(.+)$/.exec(address) ?? []
  if (host === undefined || path === undefined) return null
  return `${host}/${path.replace(/^\/+|\/+$/g, '').replace(/\.git$/i, '')}`.toLowerCase()
}
