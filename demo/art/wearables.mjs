/** Watches, bands and rings. */
import { circle, ellipse, group, line, outline, path, rect, repeat, tone } from './studio.mjs';

export function watch(studio, { color, strap = color, glow = '#ff8a3d', round = false }) {
  const [top, bottom] = [strapEnd(studio, strap), group('rotate(180 600 600)', strapEnd(studio, strap))];
  return top + bottom + repeat(4, (i) => ellipse(600, 894 + i * 44, 9, 13, tone(strap, -0.5))) + (round ? roundCase(studio, color, glow) : squareCase(studio, color, glow));
}

/** A woven strap in its two halves, as it leaves the box. */
export function band(studio, { color }) {
  const weave = (angle) =>
    `<pattern id="w${angle}" width="16" height="16" patternUnits="userSpaceOnUse" patternTransform="rotate(${angle})">` +
    `${rect(0, 0, 7, 16, 3, tone(color, 0.3))}${rect(8, 0, 7, 16, 3, tone(color, -0.24))}</pattern>`;
  const half = (x, bottom, tip) => {
    const shape = `M${x} 236H${x + 212}Q${x + 212} 400 ${x + 196} 520V${bottom}Q${x + 196} ${bottom + tip} ${x + 106} ${bottom + tip}T${x + 16} ${bottom}V520Q${x} 400 ${x} 236Z`;
    return (
      studio.blur(26, group('translate(14 24)', path(shape, '#10151c', { opacity: 0.34 }))) + path(shape, color) +
      path(shape, 'url(#w45)', { opacity: 0.6 }) + path(shape, 'url(#w-45)', { opacity: 0.4 }) +
      path(shape, studio.linear([[0, '#000', 0.34], [0.12, '#fff', 0.22], [0.5, '#fff', 0], [1, '#000', 0.36]], [0, 0, 1, 0])) +
      rect(x - 6, 214, 224, 40, 18, studio.metal('#b9bdc3'))
    );
  };
  return (
    weave(45) + weave(-45) + half(340, 880, 0) + half(650, 900, 70) +
    rect(336, 850, 220, 120, 34, studio.metal('#b9bdc3')) + rect(362, 874, 168, 72, 20, '#e4e7ea') + rect(438, 858, 16, 104, 8, studio.cylinder('#8e939b')) +
    repeat(5, (i) => ellipse(756, 640 + i * 52, 9, 12, tone(color, -0.55)))
  );
}

/** A slim tracker with a capsule of a screen. */
export function tracker(studio, { color }) {
  return (
    strapEnd(studio, color, 0.62) + group('rotate(180 600 600)', strapEnd(studio, color, 0.62)) +
    studio.cast(496, 372, 208, 456, 100) +
    rect(490, 362, 220, 476, 104, studio.metal('#4b4f57')) + rect(502, 374, 196, 452, 94, '#07080b') +
    circle(600, 486, 56, 'none', { stroke: '#23262d', 'stroke-width': 15 }) +
    line('M600 430A56 56 0 1 1 547 504', tone(color, 0.3), 15) +
    line('M548 640h24l14-42 26 84 18-60 10 18h24', '#ff5d6c', 9) + rect(560, 746, 80, 10, 5, '#8d95a1') + rect(572, 770, 56, 8, 4, '#4d535d')
  );
}

export function ring(studio, { color }) {
  const metal = studio.linear(
    [[0, tone(color, 0.6)], [0.18, tone(color, -0.1)], [0.4, tone(color, 0.55)], [0.62, tone(color, -0.16)], [0.86, tone(color, -0.5)], [1, tone(color, 0.2)]],
    [0, 0, 1, 1],
  );
  const inner = studio.linear([[0, tone(color, -0.5)], [0.5, tone(color, -0.3)], [1, tone(color, -0.66)]], [0, 0, 0.4, 1]);
  const [front, back] = [570, 680];
  const hole = (cx) => ellipse(cx, 590, 240, 312);
  return (
    studio.contact(625, 934, 190) +
    `<clipPath id="near">${hole(front)}</clipPath>` +
    `<mask id="open">${rect(0, 0, 1200, 1200, 0, '#fff')}<g clip-path="url(#near)">${hole(back)}</g></mask>` +
    '<g mask="url(#open)">' +
    path(`M${front} 250H${back}A262 340 0 0 1 ${back} 930H${front}Z`, metal) +
    ellipse(front, 590, 262, 340, metal, outline(tone(color, 0.7), 3, 0.8)) + ellipse(front, 590, 240, 312, inner) +
    [470, 590, 710].map((y) => ellipse(368 + Math.abs(590 - y) * 0.14, y, 12, 18, y === 590 ? '#39d98a' : '#c4313f')).join('') + '</g>'
  );
}

function strapEnd(studio, color, width = 1) {
  const half = 142 * width;
  const tip = half - 22;
  const shape = (dx, dy) => `M${600 - half + dx} ${470 + dy}L${600 - tip + dx} ${110 + dy}Q${600 - tip + dx} ${64 + dy} ${646 - tip + dx} ${64 + dy}H${554 + tip + dx}Q${600 + tip + dx} ${64 + dy} ${600 + tip + dx} ${110 + dy}L${600 + half + dx} ${470 + dy}Z`;
  return (
    path(shape(0, 0), studio.linear([[0, tone(color, -0.28)], [0.14, tone(color, 0.2)], [0.5, tone(color, 0.04)], [0.9, tone(color, -0.14)], [1, tone(color, -0.4)]], [0, 0, 1, 0])) +
    path(shape(0, 0), studio.linear([[0, '#000', 0.34], [0.3, '#000', 0], [0.85, '#fff', 0.08], [1, '#000', 0.4]]))
  );
}

function squareCase(studio, color, glow) {
  return (
    studio.blur(26, rect(416, 390, 400, 450, 110, '#10151c', { opacity: 0.4 })) +
    rect(796, 500, 30, 92, 14, studio.surface(tone(color, -0.2))) + repeat(5, (i) => rect(802, 512 + i * 15, 24, 4, 2, tone(color, -0.5))) + rect(798, 644, 12, 96, 6, tone(color, -0.3)) +
    rect(400, 374, 400, 452, 116, studio.metal(color)) + rect(414, 388, 372, 424, 104, '#07080b') +
    [[118, glow, '1.9'], [88, '#37d3a6', '2.6'], [58, '#5aa7ff', '1.4']].map(([r, hue, turn]) =>
      circle(600, 580, r, 'none', { stroke: tone(hue, -0.72), 'stroke-width': 22 }) +
      group('rotate(-90 600 580)', circle(600, 580, r, 'none', { stroke: hue, 'stroke-width': 22, 'stroke-linecap': 'round', 'stroke-dasharray': `${r * 6.28 * (turn / 3)} 999` }))).join('') +
    rect(470, 738, 110, 14, 7, '#f3f5f7') + rect(470, 762, 70, 9, 4, '#6a717d') + rect(676, 738, 54, 14, 7, glow) +
    path('M490 390H680L420 700V500Q420 400 490 390Z', '#fff', { opacity: 0.06 })
  );
}

function roundCase(studio, color, glow) {
  return (
    studio.blur(26, circle(612, 622, 226, '#10151c', { opacity: 0.42 })) +
    rect(812, 568, 36, 64, 12, studio.surface(tone(color, -0.2))) + repeat(4, (i) => rect(820, 578 + i * 14, 28, 4, 2, tone(color, -0.5))) +
    circle(600, 600, 226, studio.surface(color, 2)) + circle(600, 600, 208, tone(color, -0.42)) +
    repeat(12, (i) => group(`rotate(${i * 30} 600 600)`, rect(596, 398, 8, 14, 3, '#eef1f4', { opacity: 0.8 }))) +
    circle(600, 600, 186, studio.radial([[0, '#1d2430'], [1, '#07090d']])) +
    repeat(12, (i) => group(`rotate(${i * 30} 600 600)`, rect(596, 430, 8, i % 3 ? 18 : 34, 4, '#e9edf1'))) +
    circle(600, 690, 42, 'none', { stroke: '#2b3340', 'stroke-width': 7 }) + line('M600 648a42 42 0 0 1 36 62', glow, 7) +
    group('rotate(-58 600 600)', rect(592, 492, 16, 122, 8, '#f6f8fa')) + group('rotate(60 600 600)', rect(594, 448, 12, 166, 6, '#f6f8fa')) +
    group('rotate(200 600 600)', rect(598, 446, 4, 190, 2, glow)) + circle(600, 600, 11, glow) + circle(600, 600, 4, '#111') +
    path('M470 470A186 186 0 0 1 690 438L440 700A186 186 0 0 1 470 470Z', '#fff', { opacity: 0.06 })
  );
}
