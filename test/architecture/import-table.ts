import { matchesGlob } from 'node:path'

/** Which files may import what. `files` and `may` are globs from the project's folder; `type X` allows X only as `import type`. */
export type Row = { readonly files: string; readonly may: readonly string[]; readonly packages: readonly string[] }

const GENERAL = ['zod', 'yaml', 'node:*', 'type pino']
const BOT_MAY = ['bot/**', 'agent/{agent,events,ports,trace}.ts', 'agent/domain/**', 'type integrations/contract.ts']
const BOT_PACKAGES = [...GENERAL, 'pino', 'prom-client', 'hono', '@hono/node-server']
const DOMAIN_PACKAGES = ['zod', 'node:crypto']
const INTEGRATION_MAY = ['integrations/ports/**', 'integrations/{contract,http,errors,webhook-signature}.ts', 'type agent/domain/**']

/** Each vendor's own packages; nobody else may import them. */
export const VENDOR_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  anthropic: ['@anthropic-ai/sdk'],
  aws: ['@aws-sdk/*', '@smithy/*'],
  github: ['@octokit/rest'],
  jira: ['jira.js'],
  kubernetes: ['@kubernetes/client-node'],
  // The local target's services are programs of their own: they serve HTTP and publish metrics like any service.
  local: ['hono', '@hono/node-server', 'prom-client', 'pino'],
  mcp: ['@modelcontextprotocol/client'],
  openai: ['openai'],
  pagerduty: ['@pagerduty/pdjs'],
}

/** Packages that cost start-up time and memory, to be loaded only by a team that configured their vendor. */
export const LAZY_PACKAGES = [
  '@slack/bolt',
  'botbuilder',
  'jira.js',
  '@pagerduty/pdjs',
  '@kubernetes/client-node',
  '@octokit/*',
  '@aws-sdk/*',
  'openai',
  '@anthropic-ai/sdk',
  '@modelcontextprotocol/client',
  'openid-client',
  'jose',
  '@opentelemetry/*',
]

/** The first row whose `files` match a file holds for it. */
const ROWS: readonly Row[] = [
  { files: 'bot/main.ts', may: ['**'], packages: BOT_PACKAGES },
  { files: 'bot/offline.ts', may: ['bot/{config,main}.ts', 'integrations/registry.ts', 'storage/**'], packages: BOT_PACKAGES },
  { files: 'bot/slack/**', may: BOT_MAY, packages: [...BOT_PACKAGES, '@slack/*'] },
  { files: 'bot/charts/png.ts', may: BOT_MAY, packages: [...BOT_PACKAGES, '@resvg/resvg-js'] },
  { files: 'bot/oidc/**', may: BOT_MAY, packages: [...BOT_PACKAGES, 'openid-client', 'jose'] },
  { files: 'bot/traces/otlp.ts', may: BOT_MAY, packages: [...BOT_PACKAGES, '@opentelemetry/*'] },
  { files: 'bot/teams/host.ts', may: BOT_MAY, packages: [...BOT_PACKAGES, 'botbuilder'] },
  { files: 'bot/**', may: BOT_MAY, packages: BOT_PACKAGES },
  { files: 'agent/domain/**', may: ['agent/domain/**'], packages: DOMAIN_PACKAGES },
  { files: 'agent/policy/**', may: ['agent/policy/**', 'agent/domain/**'], packages: DOMAIN_PACKAGES },
  {
    files: 'agent/tools/{define-tool,registry,scope}.ts',
    may: ['agent/tools/**', 'agent/domain/**', 'integrations/ports/**'],
    packages: GENERAL,
  },
  { files: 'agent/tools/**', may: ['agent/tools/define-tool.ts', 'agent/domain/**', 'integrations/ports/**'], packages: GENERAL },
  { files: 'agent/**', may: ['agent/**', 'integrations/ports/**', 'integrations/{contract,errors}.ts'], packages: GENERAL },
  { files: 'integrations/registry.ts', may: [...INTEGRATION_MAY, 'integrations/*/{index,webhook}.ts'], packages: GENERAL },
  { files: 'integrations/ports/**', may: ['integrations/ports/**', 'integrations/errors.ts', 'type agent/domain/**'], packages: GENERAL },
  { files: 'integrations/*.ts', may: INTEGRATION_MAY, packages: GENERAL },
  {
    files: 'storage/**',
    // An expected "no" of the database is thrown as the domain's Refusal, a class; everything else of the domain is types.
    may: ['storage/**', 'type agent/ports.ts', 'type agent/domain/**', 'agent/domain/refusal.ts'],
    packages: [...GENERAL, 'kysely', 'pg', 'pgvector', '@electric-sql/*'],
  },
]

/** @returns the row for a file of the product, or null for a file in a folder that has none */
export function rowFor(path: string): Row | null {
  const vendor = vendorOf(path)
  if (vendor === null) return ROWS.find((row) => matchesGlob(path, row.files)) ?? null
  const files = `integrations/${vendor}/**`
  return { files, may: [files, ...INTEGRATION_MAY], packages: [...GENERAL, ...(VENDOR_PACKAGES[vendor] ?? [])] }
}

/** @returns the vendor whose folder holds the file, or null */
export function vendorOf(path: string): string | null {
  const [folder, vendor, file] = path.split('/')
  return folder === 'integrations' && vendor !== undefined && file !== undefined && vendor !== 'ports' ? vendor : null
}
