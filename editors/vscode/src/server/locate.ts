/**
 * Where the server is: the setting, the chosen Python interpreter, the PATH, the extension's own environment.
 *
 * Pure: what exists is asked through `isProgram`.
 */

import { posix, win32 } from 'node:path';

export interface Places {
  /** The setting `ghostnote.path`; empty if not set. */
  readonly setting: string;
  /** The interpreter chosen in the Python extension. */
  readonly interpreter: string | undefined;
  /** The environment variable PATH. */
  readonly searchPath: string;
  /** The extension's own program. */
  readonly own: string;
  readonly home: string;
  readonly platform: NodeJS.Platform;
  readonly isProgram: (path: string) => boolean;
}

export type Found =
  | { readonly from: 'setting' | 'interpreter' | 'path' | 'own'; readonly program: string }
  | { readonly from: 'wrong setting'; readonly program: string }
  | { readonly from: 'nowhere' };

/** The server to start. A setting that names nothing is reported, never passed over in silence. */
export function locate(places: Places): Found {
  const path = places.platform === 'win32' ? win32 : posix;
  const name = places.platform === 'win32' ? 'ghostnote.exe' : 'ghostnote';
  if (places.setting !== '') {
    const program = places.setting.replace(/^~(?=[/\\])/, () => places.home);
    return { from: places.isProgram(program) ? 'setting' : 'wrong setting', program };
  }
  if (places.interpreter) {
    const program = path.join(path.dirname(places.interpreter), name);
    if (places.isProgram(program)) {
      return { from: 'interpreter', program };
    }
  }
  for (const folder of places.searchPath.split(path.delimiter).filter((one) => path.isAbsolute(one))) {
    const program = path.join(folder, name);
    if (places.isProgram(program)) {
      return { from: 'path', program };
    }
  }
  return places.isProgram(places.own) ? { from: 'own', program: places.own } : { from: 'nowhere' };
}
