/** Every kind of picture the catalog can ask for: `{ kind, ground, … }` in, an SVG out. */
import { picture } from './art/studio.mjs';
import * as phones from './art/phones.mjs';

const KINDS = { ...phones };

export function draw({ kind, ground, width, height, ...rest }) {
  if (!KINDS[kind]) throw new Error(`no picture of kind ${kind}`);
  return picture({ width, height, ground }, (studio) => KINDS[kind](studio, rest));
}
