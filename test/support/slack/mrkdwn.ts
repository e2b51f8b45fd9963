/** What a reader sees of Slack's two kinds of marked-up text, as safe HTML. Written to be looked at, not to be complete. */
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign)
}

/** @param nameOf the name of a user or channel by its id */
export function mrkdwnHtml(text: string, nameOf: (id: string) => string): string {
  return text
    .split(/(```[\s\S]*?```|`[^`\n]+`|<[^<>\n]+>)/)
    .map((part) => {
      if (part.startsWith('```')) return `<pre>${shown(part.slice(3, -3))}</pre>`
      if (part.startsWith('`')) return `<code>${shown(part.slice(1, -1))}</code>`
      if (part.startsWith('<')) return special(part.slice(1, -1), nameOf)
      return styled(shown(part))
    })
    .join('')
}

export function markdownHtml(text: string): string {
  const lines = escapeHtml(text).split('\n')
  const html = lines.map((line) => {
    const heading = /^#{1,6} (.*)$/.exec(line)?.[1]
    const item = /^[-*] (.*)$/.exec(line)?.[1]
    if (heading !== undefined) return `<b>${heading}</b>`
    return item === undefined ? line : `• ${item}`
  })
  return html
    .join('<br>')
    .replace(/\*\*([^*]+)\*\*/g, '<b>$1</b>')
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\[([^\]]+)\]\((https?:[^)\s]+)\)/g, '<a href="$2">$1</a>')
}

/** Text arrives with Slack's three entities, which are shown as the signs they stand for. */
function shown(text: string): string {
  return escapeHtml(text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')).replaceAll('\n', '<br>')
}

function styled(html: string): string {
  return html
    .replace(/(?<![\p{L}\p{N}*])\*([^\s*][^*]*?)\*(?![\p{L}\p{N}*])/gu, '<b>$1</b>')
    .replace(/(?<![\p{L}\p{N}_])_([^\s_][^_]*?)_(?![\p{L}\p{N}_])/gu, '<i>$1</i>')
    .replace(/(?<![\p{L}\p{N}~])~([^\s~][^~]*?)~(?![\p{L}\p{N}~])/gu, '<s>$1</s>')
}

function special(inside: string, nameOf: (id: string) => string): string {
  const [target = '', label] = inside.split('|')
  if (target.startsWith('@')) return `<span class="mention">@${escapeHtml(nameOf(target.slice(1)))}</span>`
  if (target.startsWith('#')) return `<span class="mention">#${escapeHtml(label ?? nameOf(target.slice(1)))}</span>`
  if (target.startsWith('!date')) return shown(label ?? '')
  if (target.startsWith('!')) return `<span class="mention">@${escapeHtml(label ?? target.slice(1))}</span>`
  return `<a href="${escapeHtml(target)}">${shown(label ?? target)}</a>`
}
