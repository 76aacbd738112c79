/** Talking to the extension. */

import type { FromPreview, ToPreview } from '../src/preview/messages';

declare function acquireVsCodeApi(): { postMessage(message: FromPreview): void };

const api = acquireVsCodeApi();

export function tell(message: FromPreview): void {
  api.postMessage(message);
}

export function listen(act: (message: ToPreview) => Promise<void>): void {
  window.addEventListener('message', (event: MessageEvent<ToPreview>) => {
    act(event.data).catch((error: unknown) => {
      tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    });
  });
  tell({ kind: 'ready' });
}

/** An element of the page by its id. @throws Error if the page lacks it: a fault of ours. */
export function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`the page has no element '${id}'`);
  }
  return found as T;
}
