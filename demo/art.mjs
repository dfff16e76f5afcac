/** Every kind of picture the catalog can ask for: `{ kind, ground, … }` in, an SVG out. */
import { picture } from './art/studio.mjs';
import * as audio from './art/audio.mjs';
import * as brand from './art/brand.mjs';
import * as cameras from './art/cameras.mjs';
import * as computers from './art/computers.mjs';
import * as gaming from './art/gaming.mjs';
import * as home from './art/home.mjs';
import * as phones from './art/phones.mjs';
import * as power from './art/power.mjs';
import * as wearables from './art/wearables.mjs';

const KINDS = { ...audio, ...brand, ...cameras, ...computers, ...gaming, ...home, ...phones, ...power, ...wearables };

export function draw({ kind, ground, width, height, ...rest }) {
  if (!KINDS[kind]) throw new Error(`no picture of kind ${kind}`);
  return picture({ width, height, ground }, (studio) => KINDS[kind](studio, rest));
}
