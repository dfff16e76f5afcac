/** Displays: the wallpaper on every screen of the demo, fitted to its frame. */
import { path, rect, tone } from './studio.mjs';

/** A wallpaper of folded light in the box, with corners of `radius`. */
export function wallpaper(studio, glow, x, y, width, height, radius) {
  const id = `s${width}x${height}`;
  const sky = studio.linear([[0, tone(glow, -0.82)], [0.5, tone(glow, -0.5)], [1, tone(glow, -0.85)]], [0.1, 0, 0.9, 1]);
  const fold = (from, to, opacity = 0.95) => studio.linear([[0, tone(glow, from), opacity], [1, tone(glow, to), opacity]], [0, 0, 1, 1]);
  return (
    `<clipPath id="${id}">${rect(x, y, width, height, radius)}</clipPath><g clip-path="url(#${id})">` +
    rect(x, y, width, height, 0, sky) +
    `<g transform="translate(${x} ${y}) scale(${(width / 100).toFixed(3)} ${(height / 100).toFixed(3)})">` +
    path('M0 58C22 48 38 38 100 23V31C50 38 30 62 0 80Z', fold(-0.3, -0.1)) +
    path('M0 80C30 62 50 38 100 31V53C60 59 46 79 0 100Z', fold(0.34, -0.22)) +
    path('M0 100C46 79 60 59 100 53V74C71 79 57 90 46 100Z', fold(0.6, 0.02)) +
    path('M46 100C57 90 71 79 100 74V100Z', fold(0.1, -0.5)) +
    '</g>' +
    path(`M${x} ${y}h${width * 0.66}L${x} ${y + height * 0.7}Z`, '#fff', { opacity: 0.05 }) + '</g>'
  );
}
