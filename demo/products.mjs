/**
 * The demo's products, as a shopkeeper would list them; `build.mjs` turns them into the file a shop imports.
 * Prices are minor units in the order of CURRENCIES.
 */
import { phones } from './products/phones.mjs';

/** The currencies sold in and their decimals; the first is the shop's own. */
export { CURRENCIES } from './products/shelf.mjs';

export const products = [...phones];
