/** Smart home devices. */
import { circle, ellipse, group, line, outline, path, rect, repeat, tone } from './studio.mjs';

export function bulb(studio, { glow = '#ffc46b' }) {
  const glass = 'M600 230C420 230 330 360 330 490C330 640 470 680 490 800H710C730 680 870 640 870 490C870 360 780 230 600 230Z';
  return (
    studio.contact(600, 985, 110) + studio.blur(60, circle(600, 500, 330, glow, { opacity: 0.6 })) +
    path(glass, studio.radial([[0, '#fffdf6'], [0.4, tone(glow, 0.65)], [0.85, glow], [1, tone(glow, -0.12)]], [0.5, 0.42, 0.62])) +
    path('M430 470C430 380 490 320 560 310', 'none', { stroke: '#fff', 'stroke-width': 22, 'stroke-linecap': 'round', opacity: 0.7 }) +
    path('M486 790H714L690 860H510Z', studio.cylinder('#eceff1')) +
    repeat(4, (i) => rect(516, 858 + i * 25, 168, 20, 10, studio.cylinder('#a3a8b0'))) + path('M546 958h108l-22 27h-64Z', '#3b3f46')
  );
}

/** A mushroom-shaped table lamp. */
export function lamp(studio, { color, glow = '#ffd08a' }) {
  return (
    studio.contact(600, 985, 200) + studio.blur(60, ellipse(600, 700, 360, 250, glow, { opacity: 0.55 })) +
    ellipse(600, 966, 190, 30, tone(color, -0.45)) + ellipse(600, 952, 190, 30, studio.surface(color)) +
    path('M560 560h80l22 390q-62 20-124 0Z', studio.cylinder(color)) +
    ellipse(600, 590, 330, 58, tone(glow, 0.45)) + ellipse(600, 588, 110, 20, '#fff') +
    path('M262 590C262 340 420 230 600 230S938 340 938 590Q600 480 262 590Z', studio.cylinder(color)) +
    path('M262 590C262 340 420 230 600 230S938 340 938 590Q600 480 262 590Z', studio.linear([[0, '#fff', 0.32], [0.5, '#fff', 0], [1, glow, 0.4]])) +
    line('M266 588Q600 480 934 588', tone(glow, 0.5), 5)
  );
}

export function thermostat(studio, { color, glow = '#ff8a3d' }) {
  return (
    studio.blur(26, circle(618, 634, 340, '#10151c', { opacity: 0.34 })) +
    circle(600, 600, 340, studio.surface(color, 2.2)) + circle(600, 600, 312, tone(color, -0.5)) + circle(600, 600, 306, studio.radial([[0, '#20242c'], [1, '#08090c']])) +
    repeat(31, (i) => group(`rotate(${-135 + i * 9} 600 600)`, rect(596, 326, 8, 44, 4, i < 20 ? glow : '#454c58', { opacity: i < 20 ? 1 : 0.9 }))) +
    group('rotate(45 600 600)', rect(594, 314, 12, 78, 6, '#fff')) +
    line('M474 532H560V586H474V640H560M632 548L664 532V640', '#f4f6f8', 22) +
    circle(728, 534, 12, 'none', { stroke: '#f4f6f8', 'stroke-width': 6 }) + path('M600 716q-34 40 0 72q34-32 0-72Z', glow) +
    path('M380 440A306 306 0 0 1 700 312L340 760A306 306 0 0 1 380 440Z', '#fff', { opacity: 0.05 })
  );
}

export function doorbell(studio, { color, glow = '#6fd0ff' }) {
  return (
    studio.cast(450, 190, 300, 800, 150) +
    rect(446, 180, 308, 816, 150, studio.metal(color)) + rect(458, 192, 284, 792, 140, studio.surface(color)) +
    circle(600, 336, 104, '#0c0e12') + circle(600, 336, 66, studio.radial([[0, '#05060a'], [0.6, '#1c2842'], [1, '#0b0d14']])) +
    circle(600, 336, 26, '#26365c') + ellipse(578, 312, 16, 11, '#c7d7ff', { opacity: 0.7 }) + repeat(3, (i) => circle(562 + i * 38, 480, 5, tone(color, -0.5))) +
    circle(600, 812, 96, tone(color, -0.3)) + circle(600, 808, 92, studio.surface(tone(color, 0.08))) +
    studio.blur(7, circle(600, 808, 74, 'none', { stroke: glow, 'stroke-width': 14 })) + circle(600, 808, 74, 'none', { stroke: tone(glow, 0.4), 'stroke-width': 8 })
  );
}

export function plug(studio, { color }) {
  return (
    studio.blur(26, rect(330, 340, 580, 580, 150, '#10151c', { opacity: 0.36 })) +
    rect(310, 310, 580, 580, 150, studio.surface(tone(color, -0.06), 2)) + rect(322, 320, 556, 556, 140, studio.surface(color)) +
    circle(600, 598, 204, tone(color, -0.22)) + circle(600, 604, 200, studio.radial([[0, tone(color, -0.14)], [1, tone(color, 0.1)]])) +
    rect(530, 530, 22, 84, 6, '#1a1c20') + rect(648, 530, 22, 84, 6, '#1a1c20') + path('M572 690a28 28 0 0 1 56 0v18h-56Z', '#1a1c20') +
    studio.blur(7, rect(562, 836, 76, 10, 5, '#3ddc84')) + rect(566, 838, 68, 6, 3, '#7af0b0')
  );
}

export function hub(studio, { color, glow = '#7fd4ff' }) {
  return (
    studio.contact(600, 850, 330) +
    path('M250 700Q250 590 330 560H870Q950 590 950 700V770Q950 850 870 850H330Q250 850 250 770Z', studio.cylinder(color)) +
    path('M262 690C262 520 420 480 600 480S938 520 938 690Q938 760 600 760T262 690Z', studio.surface(tone(color, 0.08))) +
    studio.blur(7, ellipse(600, 624, 172, 66, 'none', { stroke: glow, 'stroke-width': 12 })) + ellipse(600, 624, 172, 66, 'none', { stroke: tone(glow, 0.5), 'stroke-width': 6 }) +
    line('M560 640L600 604L640 640V652H560Z', tone(color, -0.5), 8)
  );
}

/** A small puck that detects water, open doors or motion. */
export function sensor(studio, { color, glow = '#4fb3ff' }) {
  return (
    studio.contact(600, 842, 286) +
    path('M310 690V760Q310 842 600 842T890 760V690Z', studio.cylinder(tone(color, -0.08))) +
    ellipse(600, 690, 290, 118, studio.surface(tone(color, 0.1))) + ellipse(600, 690, 290, 118, 'none', outline(tone(color, 0.8), 4)) +
    path('M600 590q-76 92-2 132q80-36 2-132Z', glow) + path('M584 640q-28 44 2 66', 'none', { stroke: '#fff', 'stroke-width': 8, 'stroke-linecap': 'round', opacity: 0.8 })
  );
}

export function vacuum(studio, { color, accent = '#d9692b' }) {
  return (
    studio.blur(26, circle(616, 634, 372, '#10151c', { opacity: 0.4 })) +
    line('M330 860q-60 36-96 14M330 860q-20 60 6 92M330 860q-64-20-92 10', '#7b828c', 9) +
    circle(600, 600, 370, studio.surface(tone(color, -0.2), 2)) + circle(600, 596, 350, studio.surface(color)) +
    path('M262 500A350 350 0 0 1 938 500Q600 566 262 500Z', tone(color, -0.2), { opacity: 0.6 }) +
    circle(600, 470, 108, tone(color, -0.5)) + circle(600, 462, 104, studio.surface('#2a2e35', 2)) + circle(600, 462, 62, '#101216') + circle(600, 462, 104, 'none', outline(accent, 5)) +
    circle(600, 780, 44, studio.surface(tone(color, 0.2))) + line('M600 768v-18', accent, 8) + circle(600, 780, 20, 'none', { stroke: accent, 'stroke-width': 6, 'stroke-dasharray': '92 34', 'stroke-dashoffset': '-110' })
  );
}
