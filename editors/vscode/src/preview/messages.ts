/** What the extension and a preview tell each other. */

/** To the preview. */
export type ToPreview =
  | {
      readonly kind: 'draw';
      readonly text: string;
      /** Offsets of the suggestion in `text`; equal if there is none. */
      readonly ghostStart: number;
      readonly ghostEnd: number;
      /** The number of the tune to draw, from 0; ABC only. */
      readonly tune: number;
    }
  | { readonly kind: 'cursor'; readonly offset: number }
  | { readonly kind: 'candidates'; readonly before: string; readonly candidates: readonly string[]; readonly tune: number }
  | { readonly kind: 'play'; readonly from: number; readonly to: number }
  | { readonly kind: 'stop' };

/** From the preview. */
export type FromPreview =
  | { readonly kind: 'ready' }
  | { readonly kind: 'select'; readonly start: number; readonly end: number }
  | { readonly kind: 'insert'; readonly candidate: number }
  | { readonly kind: 'failed'; readonly message: string };
