/**
 * Phones and their accessories: backs, fronts, cases and glass. The local origin is the upper left
 * corner of the device.
 */
import { at, circle, ellipse, group, line, outline, path, rect, repeat, tone } from './studio.mjs';
import { wallpaper } from './screens.mjs';

const WIDTH = 390;
const HEIGHT = 816;
const CORNER = 66;

/** A phone's back in front of its own front, the standard portrait of a phone. */
export function phone(studio, { color, back = 'pro', glow = color, size = 1 }) {
  const floor = 985;
  const top = floor - HEIGHT;
  const pair =
    studio.contact(770, floor, 178) +
    studio.contact(450, floor, 200) +
    at(571, top + 20, group('scale(.975)', front(studio, { color, glow }))) +
    studio.blur(26, rect(312, top + 40, 356, HEIGHT - 50, 60, '#0d131b', { opacity: 0.34 })) +
    at(250, top, BACKS[back](studio, color));
  return group(`translate(600 ${floor}) scale(${size}) translate(-600 -${floor})`, pair);
}

/** The screen alone, seen a little closer. */
export function screen(studio, { color, glow = color }) {
  return studio.contact(600, 1010, 215) + at(386, 112, group('scale(1.1)', front(studio, { color, glow })));
}

/** The camera plateau, close enough to fill the picture. */
export function cameras(studio, { color }) {
  const cut = 'M0 0H1200V1200H0Z';
  return (
    studio.blur(26, rect(170, 250, 900, 1100, 150, '#0d131b', { opacity: 0.35 })) +
    at(120, 190, group('scale(2.46)', proBack(studio, color))) +
    path(cut, studio.linear([[0, '#fff', 0.12], [0.4, '#fff', 0], [0.75, '#000', 0], [1, '#000', 0.2]], [0, 0, 1, 1]))
  );
}

/** Three finishes side by side on the dark stage of the launch. */
export function trio(studio, { colors }) {
  const stage = studio.radial([[0, '#39322f'], [0.45, '#191a20'], [1, '#08090c']], [0.68, 0.55, 0.72]);
  const places = [[1035, 190, 0.86], [1560, 190, 0.86], [1262, 128, 1]];
  const order = [colors[1], colors[2], colors[0]];
  return (
    rect(0, 0, 2000, 1000, 0, stage) +
    studio.blur(60, ellipse(1455, 560, 430, 330, colors[0], { opacity: 0.34 })) +
    places.map(([x, y, scale], i) =>
      studio.blur(26, rect(x + 20, y + 40, WIDTH * scale - 20, HEIGHT * scale, 60, '#000', { opacity: 0.6 })) +
      at(x, y, group(`scale(${scale})`, proBack(studio, order[i])))).join('') +
    rect(0, 760, 2000, 240, 0, studio.linear([[0, '#08090c', 0], [1, '#08090c', 0.94]]))
  );
}

/** A case on a phone; `style` is solid, clear or leather. */
export function phoneCase(studio, { color, style = 'solid', device = '#3a3d42', back = 'pro' }) {
  const [x, top] = [395, 150];
  const wall = style === 'clear' ? tone('#dfe8ee', 0.3) : color;
  const opening = back === 'pro' ? rect(14, 14, 366, 206, 64, '#000') : rect(20, 20, 168, 268, 66, '#000');
  const shell = `<mask id="m"><rect x="-20" y="-20" width="440" height="870" rx="84" fill="#fff"/>${opening}</mask>`;
  const paint = style === 'clear'
    ? studio.linear([[0, '#fff', 0.5], [0.5, '#dfe9f2', 0.18], [1, '#fff', 0.34]], [0, 0, 1, 1])
    : studio.surface(color);
  return (
    studio.contact(600, 985, 212) +
    at(x + 6, top + 2, BACKS[back](studio, device) + shell +
      `<g mask="url(#m)">${rect(-14, -14, 418, 844, 78, paint, outline(studio.metal(wall), 7))}` +
      (style === 'leather' ? stitches(color) : '') +
      (style === 'clear' ? magnets() : rect(-14, -14, 418, 844, 78, studio.sheen(0.14))) + '</g>' +
      opening.replace('fill="#000"', `fill="none" stroke="${tone(wall, style === 'clear' ? -0.06 : -0.26)}" stroke-width="6"`))
  );
}

/** Tempered glass lifted off the screen it protects. */
export function screenGlass(studio, { color, frosted = false }) {
  const pane = studio.linear([[0, '#fff', 0.75], [0.3, '#dcecf5', frosted ? 0.62 : 0.28], [1, '#fff', frosted ? 0.7 : 0.5]], [0, 0, 1, 1]);
  return (
    studio.contact(560, 985, 196) +
    at(335, 172, front(studio, { color: '#4a4d52', glow: color })) +
    studio.blur(26, rect(470, 150, 390, 800, 60, '#0d131b', { opacity: 0.22 })) +
    group('translate(500 108) rotate(4)', rect(0, 0, WIDTH, HEIGHT, CORNER, pane, outline('#fff', 5, 0.95)) +
      rect(3, 3, WIDTH - 6, HEIGHT - 6, CORNER - 3, 'none', outline('#8fb2c8', 2, 0.7)) +
      path('M60 700 330 60 372 60 118 700Z', '#fff', { opacity: 0.28 }))
  );
}

/** A card wallet that attaches to the back. */
export function wallet(studio, { color }) {
  return (
    studio.contact(600, 985, 200) +
    at(405, 169, BACKS.pro(studio, '#d9dcde')) +
    studio.blur(14, rect(446, 560, 318, 420, 50, '#0d131b', { opacity: 0.4 })) +
    at(441, 545, rect(0, 0, 318, 420, 46, studio.surface(color)) + rect(0, 0, 318, 420, 46, studio.sheen(0.16)) +
      rect(16, 16, 286, 388, 34, 'none', { stroke: tone(color, 0.3), 'stroke-width': 4, 'stroke-dasharray': '15 9' }) +
      path('M96 0h126q-8 46-63 46T96 0Z', tone(color, -0.45)) + rect(127, 366, 64, 10, 5, tone(color, -0.3)))
  );
}

/** The slim strap worn across the body. */
export function strap(studio, { color }) {
  const weave = studio.linear([[0, tone(color, 0.24)], [0.5, color], [1, tone(color, -0.24)]], [0, 0, 1, 1]);
  return (
    studio.contact(600, 985, 204) +
    line('M792 905C1090 720 1040 110 650 118S232 470 412 905', tone(color, -0.45), 30) +
    line('M792 902C1090 717 1040 107 650 115S232 467 412 902', weave, 25) +
    line('M792 902C1090 717 1040 107 650 115S232 467 412 902', tone(color, 0.4), 3, { 'stroke-dasharray': '5 13', opacity: 0.8 }) +
    at(420, 262, group('scale(.92 .885)', BACKS.pro(studio, '#2f4466'))) +
    [412, 792].map((x) => circle(x, 905, 30, studio.metal('#b9bdc3')) + circle(x, 905, 15, '#5b6068')).join('')
  );
}

const BACKS = { pro: proBack, duo: duoBack, air: airBack, plain: plainBack };

function body(studio, color) {
  return (
    rect(-5, 196, 10, 44, 4, tone(color, -0.2)) + rect(-5, 268, 10, 74, 4, tone(color, -0.2)) +
    rect(-5, 356, 10, 74, 4, tone(color, -0.2)) + rect(WIDTH - 5, 290, 10, 116, 4, tone(color, -0.3)) +
    rect(0, 0, WIDTH, HEIGHT, CORNER, studio.metal(color)) +
    rect(5, 5, WIDTH - 10, HEIGHT - 10, CORNER - 5, studio.surface(color)) +
    rect(5, 5, WIDTH - 10, HEIGHT - 10, CORNER - 5, 'none', outline(tone(color, 0.55), 2, 0.6))
  );
}

function proBack(studio, color) {
  const plateau = studio.linear([[0, tone(color, 0.3)], [0.5, tone(color, 0.08)], [1, tone(color, -0.1)]], [0, 0, 0.5, 1]);
  const inlay = studio.linear([[0, tone(color, 0.1)], [1, tone(color, -0.22)]], [0, 0, 0.6, 1]);
  return (
    body(studio, color) +
    rect(16, 22, WIDTH - 32, 206, 64, tone(color, -0.5), { opacity: 0.5 }) +
    rect(14, 14, WIDTH - 28, 206, 64, plateau, outline(tone(color, 0.55), 2.5, 0.75)) +
    lens(studio, 86, 68, 45, color) + lens(studio, 86, 168, 45, color) + lens(studio, 186, 118, 45, color) +
    circle(320, 66, 17, studio.radial([[0, '#fffdf2'], [0.6, '#f0e4c4'], [1, '#b9a987']])) +
    circle(320, 168, 19, '#15171b', outline(tone(color, -0.3), 3)) + circle(320, 168, 9, '#2a2033') +
    circle(320, 117, 5, tone(color, -0.6)) +
    rect(24, 244, WIDTH - 48, HEIGHT - 270, 48, inlay, outline(tone(color, -0.3), 2, 0.5)) +
    rect(26, 247, WIDTH - 52, HEIGHT - 275, 46, studio.sheen(0.2))
  );
}

function duoBack(studio, color) {
  return (
    body(studio, color) +
    rect(24, 24, 160, 268, 66, tone(color, -0.12), { opacity: 0.55 }) +
    rect(22, 20, 160, 268, 66, studio.surface(tone(color, 0.12)), outline(tone(color, 0.6), 2.5, 0.8)) +
    lens(studio, 102, 88, 54, color) + lens(studio, 102, 214, 54, color) +
    circle(244, 90, 17, studio.radial([[0, '#fffdf2'], [0.6, '#f0e4c4'], [1, '#b9a987']])) +
    circle(244, 150, 5, tone(color, -0.6)) + gloss(studio)
  );
}

function airBack(studio, color) {
  return (
    body(studio, color) +
    rect(16, 24, WIDTH - 32, 132, 66, tone(color, -0.4), { opacity: 0.4 }) +
    rect(14, 16, WIDTH - 28, 132, 66, studio.surface(tone(color, 0.12)), outline(tone(color, 0.6), 2.5, 0.8)) +
    lens(studio, 84, 82, 50, color) +
    circle(300, 82, 17, studio.radial([[0, '#fffdf2'], [0.6, '#f0e4c4'], [1, '#b9a987']])) +
    circle(248, 82, 5, tone(color, -0.6)) + gloss(studio)
  );
}

function plainBack(studio, color) {
  return (
    body(studio, color) +
    circle(WIDTH / 2, 160, 108, tone(color, -0.3), { opacity: 0.6 }) +
    circle(WIDTH / 2, 156, 106, studio.surface('#23262b'), outline(tone(color, 0.4), 5)) +
    lens(studio, 150, 128, 34, '#3a3d44') + lens(studio, 240, 128, 34, '#3a3d44') + lens(studio, 195, 206, 34, '#3a3d44') +
    gloss(studio) + line('M40 800V720M350 800V720', tone(color, -0.25), 3)
  );
}

function gloss(studio) {
  return rect(5, 5, WIDTH - 10, HEIGHT - 10, CORNER - 5, studio.sheen(0.2));
}

function lens(studio, cx, cy, r, color) {
  return (
    circle(cx + 2, cy + 5, r + 3, '#000', { opacity: 0.22 }) +
    circle(cx, cy, r, studio.linear([[0, tone(color, 0.55)], [0.5, tone(color, -0.1)], [1, tone(color, 0.3)]], [0, 0, 1, 1])) +
    studio.stamp('lens', glass(studio), cx, cy, r / 50)
  );
}

function glass(studio) {
  return (
    circle(0, 0, 43, '#0b0c10') +
    circle(0, 0, 33, studio.radial([[0, '#0a0c12'], [0.45, '#151b2c'], [0.78, '#2b3a5c'], [0.92, '#171a2a'], [1, '#05060a']])) +
    circle(0, 0, 15, studio.radial([[0, '#000'], [0.7, '#0b1020'], [1, '#31406b']])) +
    ellipse(-12, -15, 10, 6.5, '#bcd0ff', { opacity: 0.55 }) +
    circle(13, 14, 4, '#d9b8ff', { opacity: 0.6 })
  );
}

function front(studio, { color, glow }) {
  return (
    rect(WIDTH - 5, 250, 10, 116, 4, tone(color, -0.3)) +
    rect(0, 0, WIDTH, HEIGHT, CORNER, studio.metal(color)) +
    rect(6, 6, WIDTH - 12, HEIGHT - 12, CORNER - 6, '#050608') +
    wallpaper(studio, glow, 15, 15, WIDTH - 30, HEIGHT - 30, CORNER - 14) +
    rect(142, 34, 106, 31, 15.5, '#000') + circle(230, 49.5, 8, '#10182c') +
    rect(130, 776, 130, 6, 3, '#fff', { opacity: 0.85 })
  );
}

function stitches(color) {
  return rect(6, 6, 378, 804, 62, 'none', { stroke: tone(color, 0.32), 'stroke-width': 4, 'stroke-dasharray': '14 10', opacity: 0.85 });
}

function magnets() {
  return (
    circle(195, 500, 118, 'none', { stroke: '#fff', 'stroke-width': 20, opacity: 0.85 }) +
    repeat(2, (i) => circle(195, 500, 108 + i * 20, 'none', { stroke: '#b9c4cc', 'stroke-width': 2 })) +
    rect(185, 660, 20, 92, 9, '#fff', { opacity: 0.85 })
  );
}
