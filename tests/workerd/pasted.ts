/**
 * Returns variants of a text as produced by copying, full-width keyboards and typographic
 * replacement.
 */
export const pasted = (text: string): string[] => [
  `\ufeff${text}\u200b`,
  `\u00a0\u202a${text}\u202c\u3000`,
  text.replaceAll('-', '\u2011'),
  text.replaceAll('-', '\u2013'),
  text.replaceAll(' ', '\u00a0'),
  text.replace(/[!-~]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0)),
];
