/**
 * The demo's products, written down as a shopkeeper would list them, the launch first; `build.mjs`
 * turns them into the import file. Prices are minor units in the order of CURRENCIES.
 */
import { audio } from './products/audio.mjs';
import { laptops, tablets } from './products/computers.mjs';
import { home } from './products/home.mjs';
import { phones } from './products/phones.mjs';
import { cameras, gaming } from './products/play.mjs';
import { digital, power } from './products/power.mjs';
import { protection } from './products/protection.mjs';
import { watches } from './products/wearables.mjs';

/**
 * Currencies in which the demo sells, with their decimal places; the first is the shop's default.
 */
export { CURRENCIES } from './products/shelf.mjs';

export const products = [phones, protection, tablets, laptops, watches, audio, home, gaming, cameras, power, digital].flat();
