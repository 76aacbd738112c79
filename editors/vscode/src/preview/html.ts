/** The page of a preview: our script and style only, nothing from the network. Pure. */

export interface PageParts {
  readonly title: string;
  readonly script: string;
  readonly style: string;
  /** The folder of the samples. */
  readonly sounds: string;
  /** Where the page may load from, as the webview names it. */
  readonly source: string;
  readonly nonce: string;
}

export function page(parts: PageParts): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${parts.nonce}'`,
    `style-src ${parts.source} 'unsafe-inline'`,
    `font-src ${parts.source} data:`,
    `img-src ${parts.source} data:`,
    `connect-src ${parts.source}`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escape(parts.title)}</title>
<link rel="stylesheet" href="${parts.style}">
</head>
<body data-sounds="${parts.sounds}">
<div id="controls" role="toolbar" aria-label="Playback">
<button id="play" type="button">▶ Play</button>
<button id="play-cursor" type="button">▶ From the cursor</button>
<button id="play-suggestion" type="button">▶ Suggestion</button>
<button id="stop" type="button" disabled>■ Stop</button>
<label>Tempo <input id="tempo" type="range" min="40" max="200" step="5" value="100" aria-label="Tempo in percent"> <output id="tempo-shown">100 %</output></label>
<label><input id="loop" type="checkbox"> Loop</label>
</div>
<p id="problem" role="status" aria-live="polite"></p>
<p id="news" class="heard" role="status" aria-live="polite"></p>
<main><div id="score" class="paper" role="img" aria-label="The score"></div></main>
<section id="candidates" aria-label="Candidates" hidden></section>
<script nonce="${parts.nonce}" src="${parts.script}"></script>
</body>
</html>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
