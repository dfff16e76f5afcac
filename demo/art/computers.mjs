/** Tablets, laptops and desk accessories. */
import { at, circle, ellipse, group, line, outline, path, rect, repeat, tone } from './studio.mjs';
import { wallpaper } from './screens.mjs';

export function tablet(studio, { color, glow = color }) {
  return (
    studio.contact(760, 985, 250) + studio.contact(500, 985, 300) +
    at(440, 232, rect(0, 0, 560, 752, 46, studio.metal(color)) + rect(5, 5, 550, 742, 42, studio.surface(color)) +
      rect(430, 28, 100, 100, 34, studio.surface(tone(color, 0.1)), outline(tone(color, 0.5), 2.5)) +
      circle(480, 78, 30, '#101217') + circle(480, 78, 17, '#24304a') + circle(471, 69, 5, '#c9d7ff')) +
    studio.blur(26, rect(230, 240, 570, 740, 50, '#0d131b', { opacity: 0.32 })) +
    at(200, 190, rect(0, 0, 592, 795, 50, studio.metal(color)) + rect(6, 6, 580, 783, 44, '#08090b') +
      wallpaper(studio, glow, 26, 26, 540, 743, 26) + circle(296, 16, 4, '#1c2433'))
  );
}

export function stylus(studio, { color }) {
  const barrel = studio.linear([[0, tone(color, -0.16)], [0.22, tone(color, 0.7)], [0.5, color], [1, tone(color, -0.34)]], [0, 0, 1, 0]);
  return group(
    'rotate(38 600 600)',
    studio.blur(26, rect(602, 110, 62, 1000, 31, '#10151c', { opacity: 0.36 })),
    rect(570, 90, 62, 860, 26, barrel),
    path('M570 930h62L612 1060q-11 34-22 0Z', barrel),
    path('M592 1050h18l-5 38q-4 12-8 0Z', '#9aa1a8'),
    rect(570, 924, 62, 4, 0, tone(color, -0.2)),
    rect(594, 150, 14, 150, 7, tone(color, -0.12), { opacity: 0.7 }),
    circle(601, 360, 5, '#3bbd78'),
  );
}

/** A keyboard from above; `accent` colours the most important keys. */
export function keyboard(studio, { color, accent = color, legend = 0.32 }) {
  const cap = (width, paint) => rect(0, 5, width, 50, 10, tone(paint, -0.3)) + rect(0, 0, width, 50, 10, studio.surface(paint)) +
    rect(11, 13, 12, 4, 2, tone(paint, legend));
  const key = (x, y) => studio.stamp('key', cap(50, tone(color, 0.1)), x, y);
  const wide = (x, y, width, paint) => at(x, y, cap(width, paint));
  return (
    studio.cast(140, 400, 920, 400, 44, 1.1) +
    rect(140, 408, 920, 400, 44, tone(color, -0.42)) + rect(140, 400, 920, 396, 44, studio.surface(color)) +
    rect(166, 426, 868, 342, 24, tone(color, -0.4), { opacity: 0.55 }) +
    wide(182, 444, 50, accent) + repeat(11, (i) => key(244 + i * 62, 444)) + wide(926, 444, 92, tone(color, -0.06)) +
    wide(182, 508, 80, tone(color, -0.06)) + repeat(11, (i) => key(274 + i * 62, 508)) + wide(956, 508, 62, tone(color, -0.06)) +
    wide(182, 572, 96, tone(color, -0.06)) + repeat(10, (i) => key(290 + i * 62, 572)) + wide(910, 572, 108, accent) +
    wide(182, 636, 126, tone(color, -0.06)) + repeat(9, (i) => key(320 + i * 62, 636)) + wide(878, 636, 140, tone(color, -0.06)) +
    repeat(3, (i) => key(182 + i * 62, 700)) + wide(368, 700, 400, tone(color, 0.1)) + repeat(4, (i) => key(780 + i * 62, 700))
  );
}

export function laptop(studio, { color, glow = color }) {
  const base = studio.linear([[0, tone(color, 0.5)], [0.2, tone(color, 0.1)], [0.7, tone(color, -0.12)], [1, tone(color, -0.5)]]);
  return (
    studio.contact(600, 886, 500) +
    rect(196, 296, 808, 552, 34, studio.metal(color)) + rect(202, 302, 796, 546, 30, '#08090b') +
    wallpaper(studio, glow, 222, 322, 756, 494, 14) + rect(548, 322, 104, 22, 9, '#08090b') + circle(600, 332, 4, '#233049') +
    rect(190, 838, 820, 14, 5, tone(color, -0.55)) +
    path('M92 848h1016v16q0 22-60 22H152q-60 0-60-22Z', base) +
    path('M500 848h200q-3 18-26 18H526q-23 0-26-18Z', tone(color, -0.24)) +
    rect(92, 848, 1016, 3, 0, tone(color, 0.6))
  );
}

export function monitor(studio, { color, glow }) {
  return (
    studio.contact(600, 1004, 214) +
    path('M520 760h160l22 236H498Z', studio.cylinder(color)) +
    ellipse(600, 992, 214, 22, tone(color, -0.3)) + ellipse(600, 984, 214, 22, studio.surface(tone(color, 0.16))) +
    path('M530 900h140l8 84H522Z', studio.cylinder(color)) +
    studio.cast(110, 226, 980, 590, 26, 0.7) +
    rect(104, 212, 992, 594, 26, studio.metal(color)) + rect(110, 218, 980, 582, 22, '#08090b') +
    wallpaper(studio, glow, 128, 236, 944, 546, 8)
  );
}

export function dock(studio, { color }) {
  const port = (x, width) => rect(x, 774, width, 26, 12, '#0c0e12') + rect(x + 7, 784, width - 14, 5, 2, '#4c525c');
  return (
    studio.contact(600, 892, 372) +
    path('M280 640Q286 600 330 600H870Q914 600 920 640L962 720H238Z', studio.surface(tone(color, 0.3))) +
    rect(230, 690, 740, 196, 44, studio.metal(color)) + rect(236, 696, 728, 184, 40, studio.surface(color)) +
    port(312, 62) + port(412, 62) + rect(514, 766, 92, 42, 6, '#0c0e12') + rect(524, 790, 72, 10, 2, '#3f7ad1') +
    rect(650, 762, 120, 50, 8, '#0c0e12') + rect(664, 780, 92, 14, 3, '#3d434c') +
    circle(848, 787, 19, '#0c0e12') + circle(848, 787, 11, '#2c3138') + circle(914, 787, 6, '#f4f6f7') +
    line('M330 601H870', tone(color, 0.7), 3)
  );
}

export function sleeve(studio, { color }) {
  return (
    studio.cast(180, 330, 840, 600, 50, 1.1) +
    rect(180, 320, 840, 610, 50, studio.surface(color)) + rect(180, 320, 840, 610, 50, studio.sheen(0.12)) +
    line('M214 392H986', tone(color, -0.45), 12) + line('M214 392H986', tone(color, 0.4), 4, { 'stroke-dasharray': '7 8', 'stroke-linecap': 'butt' }) +
    rect(920, 380, 74, 24, 8, studio.metal('#c9ccd1')) + rect(926, 400, 34, 76, 10, studio.surface(tone(color, -0.25))) +
    rect(204, 344, 792, 562, 34, 'none', { stroke: tone(color, 0.28), 'stroke-width': 3, 'stroke-dasharray': '13 9' }) +
    rect(244, 810, 74, 50, 8, tone(color, -0.28))
  );
}
