/** Headphones, speakers and microphones. */
import { circle, ellipse, group, line, outline, path, rect, repeat, tone } from './studio.mjs';

export function earbuds(studio, { color }) {
  return (
    studio.contact(600, 985, 300) +
    path('M330 640Q330 360 600 360T870 640Z', studio.surface(tone(color, -0.12))) +
    path('M362 640Q362 400 600 400T838 640Z', tone(color, -0.46)) +
    ellipse(600, 668, 262, 48, tone(color, -0.3)) +
    bud(studio, color) + group('translate(1200 0) scale(-1 1)', bud(studio, color)) +
    path('M312 660Q600 742 888 660V800Q888 985 700 985H500Q312 985 312 800Z', studio.cylinder(color)) +
    path('M312 660Q600 742 888 660V684Q600 768 312 684Z', tone(color, 0.45), { opacity: 0.55 }) +
    circle(600, 826, 9, '#3ddc84')
  );
}

/** Over-ear headphones from the front; with a boom they become a headset. */
export function headphones(studio, { color, accent = color, boom = false }) {
  const arc = 'M338 640C300 250 470 200 600 200S900 250 862 640';
  return (
    studio.contact(365, 985, 108) + studio.contact(835, 985, 108) +
    line(arc, tone(color, -0.5), 58) + line(arc, studio.linear([[0, tone(color, 0.42)], [0.6, color], [1, tone(color, -0.35)]], [0, 0, 1, 0.3]), 48) +
    line('M392 372C430 262 520 240 600 240S770 262 808 372', tone(color, -0.45), 34) +
    line('M420 330C460 262 530 246 600 246', tone(color, 0.2), 4, { opacity: 0.5 }) +
    cup(studio, color, accent) + group('translate(1200 0) scale(-1 1)', cup(studio, color, accent)) +
    (boom ? line('M300 850Q330 985 520 960', tone(color, -0.4), 16) + rect(500, 938, 78, 40, 20, studio.surface(tone(color, -0.2))) + circle(560, 958, 6, accent) : '')
  );
}

/** A low speaker in fabric. */
export function pebble(studio, { color }) {
  const shape = 'M240 760Q240 470 600 470T960 760Q960 985 600 985T240 760Z';
  return (
    studio.contact(600, 978, 290) + path(shape, studio.cylinder(color)) + fabric(studio, color, shape) +
    ellipse(600, 560, 214, 66, tone(color, -0.46)) + ellipse(600, 554, 214, 66, studio.surface(tone(color, -0.22))) +
    line('M500 554h44M522 532v44M656 554h44', '#f2f4f5', 9, { opacity: 0.85 }) + circle(600, 522, 5, '#7fe3b0')
  );
}

/** A tall speaker in fabric with a lit rim. */
export function column(studio, { color, glow = '#ffb573' }) {
  const shape = 'M400 250V900Q400 985 600 985T800 900V250Z';
  return (
    studio.contact(600, 976, 192) + path(shape, studio.cylinder(color)) + fabric(studio, color, shape) +
    path('M400 838Q600 930 800 838V866Q600 958 400 866Z', glow, { opacity: 0.9 }) +
    studio.blur(14, path('M400 830Q600 922 800 830V880Q600 970 400 880Z', glow, { opacity: 0.45 })) +
    ellipse(600, 250, 200, 62, studio.surface(tone(color, -0.3))) + ellipse(600, 250, 150, 44, tone(color, -0.56)) +
    ellipse(600, 250, 150, 44, 'none', outline(glow, 4, 0.9))
  );
}

export function soundbar(studio, { color }) {
  const shape = 'M120 660H1080Q1120 660 1120 700V760Q1120 810 1070 810H130Q80 810 80 760V700Q80 660 120 660Z';
  return (
    studio.contact(600, 816, 500) +
    path('M150 600H1050Q1084 600 1112 668H88Q116 600 150 600Z', studio.surface(tone(color, 0.12))) +
    path(shape, studio.surface(color)) + fabric(studio, color, shape) +
    path('M88 668H1112', 'none', outline(tone(color, 0.5), 3)) +
    repeat(4, (i) => circle(546 + i * 36, 634, 8, tone(color, i === 1 ? 0.8 : 0.3))) + rect(1010, 728, 40, 8, 4, '#ffb573')
  );
}

export function microphone(studio, { color, accent = '#d9692b' }) {
  const grille = 'M480 330a120 120 0 0 1 240 0v170H480Z';
  return (
    studio.contact(600, 985, 216) +
    ellipse(600, 972, 212, 34, tone(color, -0.5)) + ellipse(600, 956, 212, 34, studio.surface(color)) +
    rect(582, 800, 36, 160, 10, studio.cylinder('#8b9098')) +
    line('M404 500v110a196 196 0 0 0 392 0V500', tone(color, -0.2), 26) +
    path(grille, studio.cylinder('#a9aeb5')) +
    repeat(9, (i) => rect(480, 300 + i * 23, 240, 5, 0, '#3b4048', { opacity: 0.6 })) + repeat(9, (i) => rect(500 + i * 24, 216, 4, 284, 0, '#3b4048', { opacity: 0.35 })) +
    path('M480 500H720V650A120 120 0 0 1 480 650Z', studio.cylinder(color)) + rect(474, 492, 252, 20, 8, accent) +
    circle(600, 610, 38, studio.surface(tone(color, 0.2)), outline(tone(color, -0.4), 4)) + line('M600 604v-22', '#fff', 6) + circle(600, 700, 7, '#ff5a4f')
  );
}

export function turntable(studio, { color, accent = '#d9692b' }) {
  const groove = (r) => circle(520, 600, r, 'none', { stroke: '#3a3d43', 'stroke-width': 1.5, opacity: 0.8 });
  return (
    studio.cast(160, 250, 880, 720, 36, 1.2) +
    rect(160, 250, 880, 716, 36, tone(color, -0.4)) + rect(160, 240, 880, 712, 36, studio.surface(color)) +
    circle(520, 606, 302, tone(color, -0.5), { opacity: 0.6 }) + circle(520, 600, 300, studio.surface('#c3c7cc', 2)) + circle(520, 600, 284, '#131417') +
    repeat(9, (i) => groove(130 + i * 17)) +
    path('M520 600L320 402A284 284 0 0 1 398 344ZM520 600L720 798A284 284 0 0 1 642 856Z', '#fff', { opacity: 0.1 }) +
    circle(520, 600, 98, accent) + circle(520, 600, 98, studio.sheen(0.3)) + circle(520, 600, 60, 'none', outline('#fff', 2, 0.5)) + circle(520, 600, 9, '#e9ebee') +
    circle(920, 380, 66, studio.surface('#b5b9bf', 2)) + circle(920, 380, 34, '#3a3e45') +
    line('M920 300V660L766 774', '#8d929a', 18) + line('M917 300V658L764 771', '#eef0f2', 6) + group('rotate(-37 752 784)', rect(716, 764, 78, 40, 8, '#24272c')) +
    rect(894, 270, 52, 50, 10, '#3a3e45') + circle(930, 872, 32, studio.surface('#c3c7cc', 2)) + circle(846, 884, 14, accent)
  );
}

function bud(studio, color) {
  return (
    rect(458, 486, 58, 230, 29, studio.cylinder(color)) +
    ellipse(460, 470, 92, 84, studio.surface(tone(color, 0.08))) +
    ellipse(398, 486, 44, 54, '#3b3f46') + ellipse(390, 488, 28, 36, '#1c1f24') +
    rect(476, 430, 44, 18, 9, tone(color, -0.6)) + ellipse(446, 428, 38, 16, '#fff', { opacity: 0.4 })
  );
}

function cup(studio, color, accent) {
  return (
    rect(322, 520, 34, 190, 17, studio.metal('#b9bdc3')) +
    rect(356, 612, 96, 344, 48, studio.cylinder(tone(color, -0.5))) +
    rect(252, 594, 150, 380, 74, studio.cylinder(color)) +
    rect(252, 594, 150, 380, 74, studio.linear([[0, '#fff', 0.2], [0.3, '#fff', 0], [0.8, '#000', 0.16]])) +
    rect(276, 690, 7, 190, 4, accent === color ? tone(color, 0.5) : accent)
  );
}

/** A fabric of fine lines over a body, denser towards the bottom, where less light falls. */
function fabric(studio, color, shape) {
  const id = 'weave';
  return (
    `<pattern id="${id}" width="9" height="9" patternUnits="userSpaceOnUse">${circle(2.5, 2.5, 1.8, tone(color, -0.36))}${circle(7, 7, 1.5, tone(color, 0.3))}</pattern>` +
    path(shape, `url(#${id})`, { opacity: 0.55 }) + path(shape, studio.linear([[0, '#fff', 0.1], [0.4, '#fff', 0], [1, '#000', 0.3]]))
  );
}
