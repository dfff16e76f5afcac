/**
 * The shop's own pictures: its mark, its gift card and its protection plan. The mark is an ohm sign
 * that is also a house.
 */
import { circle, group, line, outline, path, rect, tone } from './studio.mjs';

const INK = '#14181f';
const EMBER = '#f27a35';
const HOUSE = 'M12 53H24V48.5C17 44 13.5 38 13.5 29.5L32 12L50.5 29.5C50.5 38 47 44 40 48.5V53H52';

/** The mark alone on a transparent ground, 64 × 64. */
export function mark(studio, { color = INK }) {
  return line(HOUSE, color, 7);
}

/** The mark on its tile. */
export function tile() {
  return rect(0, 0, 64, 64, 15, INK) + group('translate(4.5 4.5) scale(.86)', line(HOUSE, EMBER, 7.6));
}

export function giftCard(studio, { color = EMBER }) {
  return group(
    'rotate(-8 600 600)',
    studio.cast(170, 330, 860, 540, 48, 1.2),
    rect(170, 330, 860, 540, 48, studio.linear([[0, tone(color, 0.2)], [0.5, color], [1, tone(color, -0.4)]], [0, 0, 1, 1])),
    path('M170 700C420 620 560 420 1030 380V822Q1030 870 982 870H218Q170 870 170 822Z', studio.linear([[0, '#fff', 0.22], [1, '#fff', 0]], [0, 0, 1, 1])),
    path('M170 800C470 760 700 560 1030 540V822Q1030 870 982 870H218Q170 870 170 822Z', studio.linear([[0, INK, 0.3], [1, INK, 0.05]], [0, 0, 1, 1])),
    group('translate(412 412) scale(5.9)', line(HOUSE, '#fff', 6)),
    rect(170, 330, 860, 540, 48, 'none', outline('#fff', 3, 0.5)),
  );
}

/** A protection plan, which is not a physical thing: a shield around the mark. */
export function care(studio, { color = '#2c3a58' }) {
  const shield = 'M600 210Q740 310 890 316V590C890 780 770 900 600 980C430 900 310 780 310 590V316Q460 310 600 210Z';
  return (
    studio.blur(26, group('translate(10 30)', path(shield, '#10151c', { opacity: 0.42 }))) +
    path(shield, studio.linear([[0, tone(color, 0.42)], [0.5, color], [1, tone(color, -0.4)]], [0, 0, 1, 1]), outline(tone(color, 0.6), 5)) +
    path('M600 210Q740 310 890 316V590C890 780 770 900 600 980Z', '#000', { opacity: 0.14 }) +
    group('translate(424 410) scale(5.5)', line(HOUSE, '#fff', 6)) + circle(600, 620, 300, 'none', outline('#fff', 2, 0.12))
  );
}
