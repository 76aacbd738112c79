/** What the extension and a preview tell each other. */

/** To the preview. */
export type ToPreview =
  | {
      readonly kind: 'draw';
      readonly text: string;
      /** Offsets of the suggestion in `text`; equal if there is none. */
      readonly ghost: { readonly start: number; readonly end: number };
      /** The number of the tune to draw, from 0; ABC only. */
      readonly tune: number;
    }
  /** An offset in the text that was drawn last, suggestion included. */
  | { readonly kind: 'cursor'; readonly offset: number }
  | { readonly kind: 'candidates'; readonly before: string; readonly after: string; readonly candidates: readonly string[]; readonly tune: number }
  | { readonly kind: 'play'; readonly what: 'all' | 'cursor' | 'suggestion' }
  | { readonly kind: 'stop' };

/** From the preview. */
export type FromPreview =
  | { readonly kind: 'ready' }
  /** Offsets in the text that was drawn last, suggestion included. */
  | { readonly kind: 'select'; readonly start: number; readonly end: number }
  | { readonly kind: 'insert'; readonly candidate: number }
  | { readonly kind: 'failed'; readonly message: string };
