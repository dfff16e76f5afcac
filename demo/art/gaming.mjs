/** Gaming: consoles, controllers and mice. */
import { circle, ellipse, group, line, outline, path, rect, repeat, tone } from './studio.mjs';
import { wallpaper } from './screens.mjs';

export function handheld(studio, { color, glow }) {
  return (
    studio.cast(90, 420, 1020, 420, 150, 1.1) +
    rect(90, 400, 1020, 430, 150, tone(color, -0.4)) + rect(90, 392, 1020, 426, 150, studio.surface(color)) + rect(90, 392, 1020, 426, 150, studio.sheen(0.16)) +
    rect(300, 420, 600, 370, 30, '#07080b') + wallpaper(studio, glow, 318, 438, 564, 334, 16) +
    stick(studio, 196, 530) + stick(studio, 1004, 660) +
    path('M172 634h44v34h34v44h-34v34h-44v-34h-34v-44h34Z', '#1b1d22') +
    [[1004, 476, '#ff6b5e'], [1050, 522, '#4fb3ff'], [958, 522, '#ffc857'], [1004, 568, '#44d19b']].map(([x, y, hue]) => circle(x, y + 4, 23, tone(color, -0.5)) + circle(x, y, 23, hue)).join('') +
    rect(238, 448, 34, 10, 5, tone(color, -0.5)) + rect(928, 448, 34, 10, 5, tone(color, -0.5))
  );
}

export function console(studio, { color, glow = '#5ac8ff' }) {
  return (
    studio.contact(600, 985, 240) +
    rect(440, 940, 320, 44, 20, studio.metal('#33363c')) +
    path('M556 190H770Q800 190 800 220V950H556Z', studio.linear([[0, '#17191e'], [0.6, '#2a2d34'], [1, '#121317']], [0, 0, 1, 0])) +
    path('M430 190H640Q668 190 668 220V950H430Q400 950 400 920V220Q400 190 430 190Z', studio.surface(color)) +
    path('M430 190H640Q668 190 668 220V950H430Q400 950 400 920V220Q400 190 430 190Z', studio.sheen(0.2)) +
    studio.blur(7, rect(672, 210, 10, 720, 5, glow)) + rect(674, 210, 5, 720, 2, tone(glow, 0.6)) +
    repeat(12, (i) => rect(716, 240 + i * 20, 56, 7, 3, '#3d424b')) + rect(722, 720, 18, 120, 9, '#0a0b0d') + circle(734, 886, 12, 'none', { stroke: '#d5dae0', 'stroke-width': 4 })
  );
}

export function controller(studio, { color, accent = '#d9692b' }) {
  const shape = 'M352 420Q600 372 848 420Q930 436 968 560Q1052 800 1000 880Q946 950 860 850Q800 772 746 764H454Q400 772 340 850Q254 950 200 880Q148 800 232 560Q270 436 352 420Z';
  return (
    studio.blur(26, group('translate(8 34)', path(shape, '#10151c', { opacity: 0.42 }))) +
    rect(300, 392, 170, 60, 28, tone(color, -0.6)) + rect(730, 392, 170, 60, 28, tone(color, -0.6)) +
    path(shape, studio.surface(color, 1.3)) + path(shape, studio.linear([[0, '#fff', 0.3], [0.2, '#fff', 0], [0.75, '#000', 0], [1, '#000', 0.3]])) +
    rect(496, 440, 208, 120, 26, tone(color, -0.5)) + rect(500, 440, 200, 114, 24, studio.surface('#2a2d33')) + rect(556, 572, 88, 7, 4, accent) +
    path('M322 486h48v40h40v48h-40v40h-48v-40h-40v-48h40Z', '#1b1d22') +
    [[842, 476], [902, 540], [782, 540], [842, 604]].map(([x, y], i) => circle(x, y + 5, 30, tone(color, -0.5)) + circle(x, y, 30, studio.surface('#24272d')) + circle(x, y, 9, ['#ffc857', '#ff6b5e', '#4fb3ff', '#44d19b'][i])).join('') +
    stick(studio, 476, 668, 1.25) + stick(studio, 724, 668, 1.25) + circle(600, 668, 18, studio.surface('#c9cdd2', 2))
  );
}

export function mouse(studio, { color, accent = '#5ac8ff' }) {
  const shape = 'M600 220C770 220 832 330 832 520C832 600 846 660 846 740C846 900 750 990 600 990S354 900 354 740C354 660 368 600 368 520C368 330 430 220 600 220Z';
  return (
    studio.blur(26, group('translate(16 26)', path(shape, '#10151c', { opacity: 0.42 }))) +
    path(shape, studio.cylinder(color)) + path(shape, studio.linear([[0, '#fff', 0.34], [0.35, '#fff', 0.02], [1, '#000', 0.3]])) +
    line('M600 224V520', tone(color, -0.55), 7) + line('M368 536Q600 590 832 536', tone(color, -0.4), 5) +
    rect(572, 320, 56, 136, 28, '#15171b') + rect(582, 334, 36, 108, 18, studio.linear([[0, '#4a4f58'], [0.5, '#a9afb8'], [1, '#2c3037']])) + repeat(6, (i) => rect(582, 344 + i * 16, 36, 4, 0, '#15171b', { opacity: 0.6 })) +
    studio.blur(7, line('M548 872Q600 896 652 872', accent, 10)) + line('M548 872Q600 896 652 872', tone(accent, 0.4), 5) + rect(590, 490, 20, 44, 10, '#2a2d33')
  );
}

function stick(studio, x, y, scale = 1) {
  const cap = ellipse(0, 6, 50, 50, '#000', { opacity: 0.45 }) + circle(0, 0, 48, '#15171b') + circle(0, -2, 40, studio.surface('#3a3e46', 2)) + circle(0, -1, 28, '#22252b', outline('#4c515b', 3));
  return studio.stamp('stick', cap, x, y, scale);
}
