/** Cameras, lenses and tripods. */
import { circle, ellipse, group, line, outline, path, rect, repeat, tone } from './studio.mjs';
import { wallpaper } from './screens.mjs';

export function camera(studio, { color, trim = '#2a2c30' }) {
  return (
    studio.contact(600, 916, 410) +
    path('M470 352L508 282H692L730 352Z', studio.surface(color)) + rect(250, 316, 96, 44, 12, studio.cylinder('#8f949c')) + rect(780, 306, 120, 54, 14, studio.cylinder('#8f949c')) + circle(946, 346, 22, tone(color, -0.4)) +
    rect(190, 346, 820, 566, 70, studio.surface(color, 1.3)) + rect(190, 346, 820, 566, 70, 'none', outline(tone(color, 0.5), 3, 0.6)) +
    rect(190, 466, 820, 330, 0, studio.surface(trim)) + leather(trim) + path('M190 466h150q40 160 0 330H190Z', studio.cylinder(trim)) +
    rect(540, 300, 120, 42, 10, '#0e1014') + circle(900, 410, 16, '#ffefc9') +
    front(studio, 622, 626, 262)
  );
}

export function lensBarrel(studio, { color }) {
  const ridges = (y, height, pitch) => repeat(Math.floor(400 / pitch), (i) => rect(402 + i * pitch, y, 5, height, 2, '#000', { opacity: 0.35 }));
  return (
    studio.contact(600, 985, 236) +
    path('M394 320V930Q394 985 600 985T806 930V320Z', studio.cylinder(color)) +
    path('M372 420H828V560Q600 620 372 560Z', studio.cylinder(tone(color, -0.2))) + ridges(430, 130, 18) +
    path('M386 640Q600 700 814 640V760Q600 820 386 760Z', studio.cylinder(tone(color, -0.14))) + ridges(656, 110, 12) +
    path('M394 830Q600 886 806 830V842Q600 898 394 842Z', '#d9692b') +
    repeat(7, (i) => rect(470 + i * 42, 608 - Math.abs(3 - i) * 3, 16, 6, 2, '#f2f4f5', { opacity: 0.8 })) +
    ellipse(600, 322, 224, 96, studio.surface(tone(color, -0.3))) + ellipse(600, 322, 192, 78, '#0a0b0f') +
    ellipse(600, 330, 158, 60, studio.radial([[0, '#05060b'], [0.5, '#1e2c4e'], [0.8, '#4a3a72'], [1, '#0b0d14']])) + ellipse(548, 308, 52, 15, '#cfe0ff', { opacity: 0.5 })
  );
}

export function instant(studio, { color, accent = '#ff8a3d' }) {
  return (
    studio.contact(600, 935, 320) +
    group('translate(402 126)', rect(0, 0, 396, 330, 10, '#fbfbf8', outline('#d8d8d2', 2)) + wallpaper(studio, accent, 26, 26, 344, 250, 2)) +
    path('M300 350H900Q930 350 936 382L974 880Q976 934 922 934H278Q224 934 226 880L264 382Q270 350 300 350Z', studio.surface(color, 1.2)) +
    path('M236 760H964L974 880Q976 934 922 934H278Q224 934 226 880Z', tone(color, -0.12), { opacity: 0.55 }) +
    rect(352, 346, 496, 18, 8, tone(color, -0.6)) +
    ['#ff6b5e', '#ffc857', '#44d19b', '#4fb3ff'].map((hue, i) => rect(540 + i * 32, 788, 32, 146, 0, hue)).join('') +
    rect(316, 412, 150, 96, 26, '#14161a') + rect(326, 420, 130, 78, 20, studio.linear([[0, '#fffdf4'], [1, '#d9d3c0']])) +
    rect(758, 412, 118, 96, 26, '#14161a') + rect(772, 424, 90, 70, 16, '#2c3850') + circle(330, 690, 36, tone(accent, -0.2)) + circle(330, 684, 34, studio.surface(accent)) +
    front(studio, 604, 610, 172)
  );
}

export function action(studio, { color, accent = '#4fb3ff' }) {
  return (
    studio.contact(600, 915, 340) +
    rect(250, 400, 700, 512, 82, studio.metal(color)) + rect(258, 408, 684, 496, 76, studio.surface(color)) +
    repeat(22, (i) => rect(286 + i * 29, 790, 12, 86, 6, tone(color, -0.4), { opacity: 0.5 })) +
    rect(320, 384, 130, 26, 10, accent) + rect(300, 462, 250, 250, 34, '#07080b') + wallpaper(studio, accent, 316, 478, 218, 218, 20) +
    rect(590, 446, 320, 320, 60, '#0c0e12', outline(tone(color, 0.3), 3)) + front(studio, 750, 606, 128) + circle(420, 752, 7, '#ff5a4f')
  );
}

export function tripod(studio, { color, accent = '#d9692b' }) {
  const leg = (x) => line(`M600 430L${x} 970`, tone(color, -0.35), 40) + line(`M600 430L${(600 + x) / 2} 700`, studio.linear([[0, tone(color, 0.3)], [1, color]]), 36) + line(`M${(600 + x) / 2} 700L${x} 964`, '#b3b8bf', 16);
  return (
    studio.contact(330, 978, 44) + studio.contact(870, 978, 44) + studio.contact(600, 990, 40) +
    leg(600) + leg(330) + leg(870) + [330, 600, 870].map((x) => ellipse(x, 974, 26, 14, '#24272c')).join('') +
    rect(548, 366, 104, 90, 26, studio.cylinder(color)) + rect(582, 300, 36, 80, 8, studio.cylinder('#b3b8bf')) +
    circle(600, 268, 62, studio.surface(color, 2)) + rect(650, 252, 92, 30, 14, studio.surface(accent)) +
    rect(500, 184, 200, 34, 10, studio.metal('#8f949c')) + rect(522, 160, 156, 28, 8, '#24272c') + rect(570, 470, 60, 14, 6, accent)
  );
}

function front(studio, x, y, r) {
  return group(
    `translate(${x} ${y}) scale(${r / 100})`,
    circle(3, 8, 102, '#000', { opacity: 0.35 }),
    circle(0, 0, 100, studio.linear([[0, '#6a6f78'], [0.3, '#24272c'], [0.7, '#14161a'], [1, '#565b64']], [0, 0, 1, 1])),
    circle(0, 0, 86, '#101216', { stroke: '#3a3e46', 'stroke-width': 5, 'stroke-dasharray': '2 3' }),
    circle(0, 0, 74, 'none', outline('#d9dde2', 1, 0.5)),
    circle(0, 0, 64, studio.radial([[0, '#05060a'], [0.42, '#101a30'], [0.7, '#2f4a7a'], [0.86, '#4b3469'], [1, '#07080c']])),
    circle(0, 0, 25, studio.radial([[0, '#000'], [0.8, '#0a1020'], [1, '#2b3c66']])),
    ellipse(-24, -28, 19, 11, '#d3e2ff', { opacity: 0.6 }),
    circle(24, 27, 6, '#e2b8ff', { opacity: 0.55 }),
    line('M-58 30A64 64 0 0 0 0 62', '#8fb0ff', 2, { opacity: 0.5 }),
  );
}

function leather(color) {
  return (
    `<pattern id="grain" width="12" height="12" patternUnits="userSpaceOnUse">${circle(3, 3, 2, tone(color, 0.16))}${circle(9, 9, 2, tone(color, -0.3))}</pattern>` +
    rect(190, 466, 820, 330, 0, 'url(#grain)', { opacity: 0.7 })
  );
}
