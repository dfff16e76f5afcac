/** The shop's own pictures: those of its pages under /media, and its marks beside them. */
const FINISHES = ['#d9692b', '#2c3a58', '#dcdfe1'];

export const brand = {
  media: [['launch.svg', { kind: 'trio', width: 2000, height: 1000, ground: null, colors: FINISHES }]],
  marks: [],
};
