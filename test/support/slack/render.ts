import { jsons } from './json.ts'
import { escapeHtml, mrkdwnHtml } from './mrkdwn.ts'
import { seenBy } from './person.ts'
import { blocksHtml, type NameOf } from './render-blocks.ts'
import type { Conversation, OpenView, SlackMessage, World } from './world.ts'

export interface RenderOptions {
  /** Whose client it is: what only this person sees is there too, with their modal on top. */
  readonly viewer: { readonly id: string }
}

const STYLE = `
*{box-sizing:border-box}body{margin:0 auto;padding:12px;max-width:680px;font:15px/1.46 Lato,Arial,sans-serif;color:#1d1c1d;overflow-wrap:anywhere}
h1{font-size:17px;margin:0 0 12px}h3{margin:4px 0;font-size:17px}article{padding:6px 0}article.reply{margin-left:20px;padding-left:12px;border-left:2px solid #ddd}
article.private{background:#f8f8f8}.by{font-weight:700}time,small,.context{color:#616061;font-size:13px}.block{margin:4px 0}.fields{display:grid;grid-template-columns:1fr 1fr;gap:8px}
button{font:inherit;font-weight:700;padding:4px 12px;border:1px solid #bbb;border-radius:4px;background:#fff}button.primary{background:#007a5a;color:#fff}button.danger{background:#e01e5a;color:#fff}
code,pre{background:#f4f4f4;border:1px solid #ddd;border-radius:3px;padding:1px 3px;color:#c01343;white-space:pre-wrap}pre{color:inherit;padding:8px}blockquote{margin:4px 0;padding-left:10px;border-left:4px solid #ddd}
.mention{background:#fdf3d1;color:#1264a3}details{display:inline-block;vertical-align:top}ul,ol{margin:2px 0;padding-left:22px}table{border-collapse:collapse}td{border:1px solid #ddd;padding:4px 8px}
figure{margin:4px 0;padding:12px;background:#eef3f8;border-radius:6px}figure img{max-width:100%;display:block}hr{border:0;border-top:1px solid #ddd}dialog{display:block;position:static;width:100%;margin:16px 0;border:2px solid #1264a3;border-radius:8px}
.field{border:1px solid #bbb;border-radius:4px;padding:6px;color:#616061}.error{color:#e01e5a}.task_card,.plan,.card{border:1px solid #ddd;border-radius:6px;padding:8px}a{color:#1264a3}`

/** A conversation with its threads as one page that a person can look at, at the width of a phone or more. */
export function renderChannel(world: World, channel: Conversation, { viewer }: RenderOptions): string {
  const nameOf: NameOf = (id) => world.users.get(id)?.name ?? world.conversations.get(id)?.name ?? id
  const messages = seenBy(viewer.id, channel).flatMap((message) => {
    const inChannel = messageHtml(message, nameOf, message.broadcast ? 'broadcast' : '')
    const replies = message.threadTs === null ? seenBy(viewer.id, channel, message).filter((one) => one !== message) : []
    return [inChannel, ...replies.map((reply) => messageHtml(reply, nameOf, 'reply'))]
  })
  const modal = world.views.get(world.modals.get(viewer.id)?.at(-1) ?? '')
  return page(`#${channel.name}`, [...messages, modal === undefined ? '' : modalHtml(modal, nameOf)].join('\n'))
}

/** Somebody's home tab. */
export function renderHome(world: World, { viewer }: RenderOptions): string {
  const home = world.views.get(world.homes.get(viewer.id) ?? '')
  const nameOf: NameOf = (id) => world.users.get(id)?.name ?? id
  return page(world.app.name, blocksHtml(jsons(home?.view['blocks']), nameOf))
}

function page(title: string, body: string): string {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(title)}</title>`
  return `<!doctype html><html lang="en"><head>${head}<style>${STYLE}</style></head><body><h1>${escapeHtml(title)}</h1>\n${body}\n</body></html>\n`
}

function messageHtml(message: SlackMessage, nameOf: NameOf, kind: string): string {
  const time = new Date(Number(message.ts) * 1_000).toISOString().slice(11, 19)
  const notes = [
    message.ephemeralFor === null ? '' : `Only visible to ${nameOf(message.ephemeralFor)}`,
    message.broadcast ? 'also sent to the channel' : '',
    message.edits === 0 ? '' : `edited ${message.edits} ×`,
    message.stream?.open ? 'writing …' : '',
  ].filter((note) => note !== '')
  const body = message.blocks.length === 0 || message.stream !== null ? `<div>${mrkdwnHtml(message.text, nameOf)}</div>` : ''
  const files = message.files.map(({ content, mimeType, altText, title }) => {
    const image = mimeType.startsWith('image/')
      ? `<img alt="${escapeHtml(altText)}" src="data:${mimeType};base64,${content.toString('base64')}">`
      : ''
    return `<figure>${image}📎 ${escapeHtml(title)}</figure>`
  })
  const head = `<span class="by">${escapeHtml(nameOf(message.user))}</span> <time>${time}</time> <small>${escapeHtml(notes.join(' · '))}</small>`
  const classes = [kind, message.ephemeralFor === null ? '' : 'private'].join(' ')
  return `<article class="${classes}">${head}${body}${blocksHtml(message.blocks, nameOf)}${files.join('')}</article>`
}

function modalHtml({ view, errors }: OpenView, nameOf: NameOf): string {
  const words = (field: 'title' | 'submit' | 'close'): string => {
    const value = view[field]
    return typeof value === 'object' && value !== null && 'text' in value ? escapeHtml(String(value.text)) : ''
  }
  const wrong = Object.values(errors).map((error) => `<p class="error">${escapeHtml(error)}</p>`)
  const buttons = `<button>${words('close') || 'Cancel'}</button> ${words('submit') === '' ? '' : `<button class="primary">${words('submit')}</button>`}`
  return `<dialog open><h3>${words('title')}</h3>${blocksHtml(jsons(view['blocks']), nameOf)}${wrong.join('')}${buttons}</dialog>`
}
