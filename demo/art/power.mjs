/** Charging and cables. */
import { circle, ellipse, group, line, outline, path, rect, repeat, tone } from './studio.mjs';
import { wallpaper } from './screens.mjs';

/** A wall charger, turned so that its ports show. */
export function charger(studio, { color, ports = 1 }) {
  const gap = ports > 1 ? 420 / ports : 0;
  const side = studio.linear([[0, tone(color, -0.1)], [1, tone(color, -0.34)]], [0, 0, 1, 0]);
  return (
    studio.contact(590, 932, 300) +
    rect(884, 560, 92, 34, 6, studio.linear([[0, '#eceef0'], [0.5, '#b7bcc3'], [1, '#83888f']])) + rect(884, 720, 92, 34, 6, studio.linear([[0, '#eceef0'], [0.5, '#b7bcc3'], [1, '#83888f']])) +
    path('M700 378H850Q900 378 900 430V872Q900 930 850 930H700Z', side) +
    rect(270, 378, 490, 554, 74, studio.surface(color, 1.2)) + rect(270, 378, 490, 554, 74, 'none', outline(tone(color, 0.9), 4, 0.9)) +
    repeat(ports, (i) => {
      const y = 655 + (i - (ports - 1) / 2) * gap;
      return rect(433, y - 27, 164, 54, 27, tone(color, -0.3)) + rect(439, y - 22, 152, 45, 22, '#15171b') + rect(463, y - 5, 104, 9, 4, '#5c626c');
    }) + circle(706, 424, 6, '#3ddc84')
  );
}

/** A cable, coiled as delivered. */
export function cable(studio, { color }) {
  const cord = (d, shade = 0) => line(d, tone(color, -0.46 + shade), 34) + line(d, tone(color, shade), 26) + line(d, tone(color, 0.3 + shade), 26, { 'stroke-dasharray': '3 8', 'stroke-linecap': 'butt', opacity: 0.45 });
  const loops = [[330, 300], [290, 262], [250, 222]];
  return (
    studio.blur(26, ellipse(614, 590, 320, 290, 'none', { stroke: '#10151c', 'stroke-width': 110, opacity: 0.32 })) +
    loops.map(([rx, ry], i) => cord(`M${600 - rx} ${560 + i * 4}a${rx} ${ry} 0 1 1 ${rx * 2} 0a${rx} ${ry} 0 1 1 ${-rx * 2} 0`, i % 2 ? -0.06 : 0)).join('') +
    cord('M880 690Q860 850 760 905') + cord('M330 700Q360 860 440 905') +
    connector(studio, 760, 905, 58, color) + connector(studio, 440, 905, 122, color) +
    rect(556, 236, 88, 150, 20, studio.surface(tone(color, -0.34))) + rect(556, 236, 88, 150, 20, studio.sheen(0.2))
  );
}

/** A magnetic charging disc on a cable. */
export function puck(studio, { color }) {
  const cord = 'M600 830C600 960 760 900 780 1010S930 1080 1010 1040';
  return (
    line(cord, '#10151c', 36, { opacity: 0.2, transform: 'translate(10 16)' }) + line(cord, tone(color, -0.3), 32) + line(cord, color, 25) +
    studio.blur(26, circle(614, 566, 300, '#10151c', { opacity: 0.38 })) + rect(570, 800, 60, 70, 16, studio.surface('#c9cdd2')) +
    circle(600, 540, 300, studio.surface('#c4c8ce', 2.4)) + circle(600, 536, 284, studio.surface(color)) + circle(600, 536, 226, 'none', outline(tone(color, -0.14), 5)) + circle(600, 536, 284, studio.sheen(0.2))
  );
}

/** A stand for phone, watch and earbuds. */
export function stand(studio, { color, glow = '#d9692b' }) {
  return (
    studio.contact(600, 985, 390) +
    rect(220, 924, 760, 60, 30, studio.metal(color)) + ellipse(600, 926, 372, 26, studio.surface(tone(color, 0.2))) +
    path('M430 480h56l40 446h-96Z', studio.cylinder(color)) + path('M790 560h40l24 366h-88Z', studio.cylinder(color)) +
    studio.blur(14, rect(306, 196, 330, 640, 60, '#10151c', { opacity: 0.36 })) +
    rect(296, 180, 322, 660, 56, studio.metal('#8e939b')) + rect(303, 187, 308, 646, 50, '#050608') + wallpaper(studio, glow, 311, 195, 292, 630, 42) + rect(414, 212, 86, 24, 12, '#000') +
    rect(738, 436, 146, 244, 40, studio.surface('#34373d')) + rect(728, 470, 166, 176, 50, studio.metal('#9ba0a7')) + rect(736, 478, 150, 160, 44, '#07080b') +
    circle(811, 558, 46, 'none', { stroke: '#2a2e36', 'stroke-width': 12 }) + line('M811 512a46 46 0 1 1-40 68', glow, 12) +
    rect(618, 846, 128, 86, 38, studio.surface('#f1f2f3')) + line('M620 880h124', '#c9cdd2', 3) + circle(682, 904, 4, '#3ddc84')
  );
}

export function powerbank(studio, { color }) {
  return (
    studio.cast(400, 250, 400, 720, 84, 1.1) + rect(400, 240, 400, 730, 84, studio.metal(color)) + rect(407, 247, 386, 716, 78, studio.surface(color)) + rect(407, 247, 386, 716, 78, studio.sheen(0.22)) +
    circle(600, 520, 142, 'none', outline(tone(color, -0.24), 22, 0.75)) + circle(600, 520, 142, 'none', outline(tone(color, 0.4), 2, 0.7)) + rect(591, 710, 18, 84, 9, tone(color, -0.24), { opacity: 0.75 }) +
    repeat(4, (i) => circle(552 + i * 32, 884, 8, i < 3 ? '#eafff3' : tone(color, -0.35))) + rect(556, 944, 88, 14, 7, '#15171b')
  );
}

/** A magnetic mount on a car's air vent. */
export function mount(studio, { color }) {
  return (
    rect(150, 640, 900, 416, 60, '#16181c') +
    repeat(4, (i) => rect(174, 672 + i * 94, 852, 62, 22, studio.linear([[0, '#6a7079'], [0.3, '#454a52'], [1, '#24272c']]))) +
    rect(150, 640, 900, 416, 60, 'none', outline('#3a3e45', 14)) +
    rect(540, 610, 120, 230, 30, studio.cylinder('#3a3e45')) + circle(600, 640, 86, studio.surface('#50555e', 2)) +
    studio.blur(26, circle(618, 494, 262, '#10151c', { opacity: 0.45 })) + circle(600, 460, 262, studio.metal('#8e939b')) + circle(600, 460, 250, studio.surface(color)) +
    circle(600, 460, 178, 'none', outline(tone(color, 0.34), 5)) + circle(600, 460, 250, studio.sheen(0.26)) + rect(592, 684, 16, 12, 6, '#3ddc84')
  );
}

/** A travel adapter with the world's plugs folded in. */
export function adapter(studio, { color, accent = '#d9692b' }) {
  return (
    studio.contact(600, 950, 262) +
    rect(340, 290, 520, 658, 96, studio.cylinder(color)) + rect(340, 290, 520, 658, 96, studio.linear([[0, '#fff', 0.34], [0.3, '#fff', 0], [1, '#000', 0.22]])) +
    circle(600, 520, 172, tone(color, -0.34)) + circle(600, 526, 166, studio.surface(tone(color, -0.12))) +
    [[536, 520], [664, 520]].map(([x, y]) => circle(x, y, 17, '#101216')).join('') + rect(586, 440, 28, 60, 8, '#101216') +
    group('rotate(24 560 596)', rect(552, 574, 14, 48, 5, '#101216')) + group('rotate(-24 640 596)', rect(634, 574, 14, 48, 5, '#101216')) +
    rect(340, 748, 520, 5, 0, tone(color, -0.4)) + repeat(3, (i) => rect(436 + i * 122, 820, 84, 30, 15, '#15171b') + rect(450 + i * 122, 831, 56, 7, 3, '#5c626c')) + rect(846, 600, 26, 92, 12, accent)
  );
}

function connector(studio, x, y, angle, color) {
  return group(`translate(${x} ${y}) rotate(${angle + 90})`, rect(-12, -4, 24, 62, 10, tone(color, -0.2)) , rect(-27, 40, 54, 92, 12, studio.cylinder('#e4e6e9')), rect(-20, 128, 40, 48, 10, studio.cylinder('#a9aeb5')), rect(-12, 164, 24, 8, 3, '#3b3f46'));
}
