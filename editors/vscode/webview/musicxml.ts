/** The preview of MusicXML: drawn by OpenSheetMusicDisplay, the suggestion in the grey that its notes carry. */

import { OpenSheetMusicDisplay } from 'opensheetmusicdisplay';

import { element, listen, tell } from './host';

const display = new OpenSheetMusicDisplay(element('score'), { autoResize: true, backend: 'svg', drawTitle: true });

element('controls').hidden = true;

listen((message) => {
  if (message.kind === 'draw') {
    void draw(message.text);
  } else if (message.kind === 'candidates') {
    listCandidates(message.candidates);
  }
});

async function draw(text: string): Promise<void> {
  const problem = element('problem');
  try {
    await display.load(text);
    display.render();
    problem.textContent = '';
  } catch (error) {
    problem.textContent = `This cannot be drawn as it stands: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The candidates as what they say: their notes' names. */
function listCandidates(candidates: readonly string[]): void {
  const section = element('candidates');
  section.hidden = false;
  section.replaceChildren(...candidates.map((text, index) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = `Insert candidate ${index + 1}: ${summary(text)}`;
    button.addEventListener('click', () => tell({ kind: 'insert', candidate: index }));
    const block = document.createElement('div');
    block.className = 'candidate';
    block.append(button);
    return block;
  }));
}

function summary(text: string): string {
  const notes = [...text.matchAll(/<step>(.)<\/step>(?:\s*<alter>(-?\d)<\/alter>)?\s*<octave>(\d)<\/octave>/g)];
  return notes.map(([, step, alter, octave]) => step + ({ '-1': '♭', '1': '♯' }[alter] ?? '') + octave).join(' ') || 'rests';
}
