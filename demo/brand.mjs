/** The brand's pictures: those that the shop uploads, and its marks. */
const FINISHES = ['#d9692b', '#2c3a58', '#dcdfe1'];
const GRID = { width: 64, height: 64, ground: null };

export const brand = {
  media: [['launch.webp', { kind: 'trio', width: 2000, height: 1000, ground: null, colors: FINISHES }]],
  marks: [
    ['favicon.svg', { kind: 'tile', ...GRID }],
    ['mark.svg', { kind: 'mark', ...GRID }],
    ['mark-light.svg', { kind: 'mark', color: '#ffffff', ...GRID }],
  ],
};
