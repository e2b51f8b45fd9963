import { exactText } from '../messages/visible-text.ts'

/** A page for a person whose sign-in did not end well: what happened, and what to do. It runs no script and tells nothing of the inside. */
export function signInPage({ status, title, detail }: { status: number; title: string; detail: string }): Response {
  const words = detail === title ? [title] : [title, detail]
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · Steadyhand</title>
<link rel="stylesheet" href="/console/base.css">
<link rel="stylesheet" href="/console/frame.css">
</head>
<body>
<main id="main">
<h1>You are not signed in</h1>
${words.map((each) => `<p>${escaped(each)}</p>`).join('\n')}
<p><a href="/auth/login">Sign in again</a> · <a href="/">Open Steadyhand without signing in</a></p>
</main>
</body>
</html>
`
  return new Response(html, { status, headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' } })
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Ids and codes of the provider stand in these words: each character is shown as what it is. */
function escaped(text: string): string {
  return exactText(text).replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char)
}
