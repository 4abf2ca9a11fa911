const STYLE = `
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:light-dark(#f2f4f8,#15181e)}
main{box-sizing:border-box;width:min(27rem,100vw);padding:2rem;border-radius:.75rem;background:light-dark(#fff,#20242c);box-shadow:0 .5rem 2rem #0002}
h1{font-size:1.35rem;margin:0 0 .25rem}p{margin:.25rem 0 1rem;color:light-dark(#555,#aab)}
form{display:grid;gap:.5rem;margin:0 0 .75rem}ul{padding-left:1.25rem;margin:.25rem 0 1rem;overflow-wrap:anywhere}
button,input{font:inherit;padding:.6rem .8rem;border-radius:.5rem;border:1px solid light-dark(#ccd,#445);background:none;color:inherit;text-align:left}
button{cursor:pointer}button:hover,button:focus-visible{border-color:#2563eb;outline:2px solid #2563eb44}
button.primary{background:#2563eb;border-color:#2563eb;color:#fff;text-align:center}button small{display:block;opacity:.7}
code{overflow-wrap:anywhere}footer{margin-top:1.25rem;font-size:.8rem;color:light-dark(#777,#889)}`;

/** Makes text safe inside HTML text and attributes. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** A whole page: title, then body HTML that is already escaped. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(title)}</h1>${body}
<footer>Tokenry dev authority: for development and tests. Nothing here is real.</footer></main></body></html>`;
}
