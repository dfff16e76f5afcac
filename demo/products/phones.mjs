/** Phones: the launch, the family around it, and two that can be repaired at a kitchen table. */
import { colors, prices, shelf, storage, usual } from './shelf.mjs';

const PRO_FINISHES = { 'Cosmic Orange': ['ORG', '#d9692b'], 'Deep Blue': ['BLU', '#2c3a58'], Silver: ['SLV', '#dcdfe1'] };

const LAUNCH = `<p><strong>The biggest battery, the boldest cameras and the coolest body an iPhone has had.</strong> iPhone 17 Pro Max begins with a single block of aluminum and ends with a phone that keeps its pace when the work gets hot.</p>
<h2>One body, carved from one block</h2>
<p>The unibody is forged, then machined. A full-width plateau makes room for the camera system and leaves the space below it to a larger battery. Ceramic Shield now protects the back as well, and Ceramic Shield 2 on the front resists scratches three times better than before.</p>
<h2>A19 Pro, kept cool</h2>
<p>A vapor chamber, laser-welded into the frame, carries heat away from the chip and spreads it through the aluminum. Long games, long exports and long calls stay fast.</p>
<h2>Three cameras of 48 megapixels</h2>
<ul>
<li><strong>Main</strong> – 24 mm, with a 2× view of optical quality</li>
<li><strong>Ultra Wide</strong> – 13 mm, and close enough for macro</li>
<li><strong>Telephoto</strong> – 100 mm at 4×, 200 mm at 8×, on a sensor more than half again as large as its predecessor’s</li>
<li><strong>Front</strong> – 18 megapixels on a square sensor: hold the phone upright and still get everyone in</li>
</ul>
<p>Video reaches 4K at 120 frames per second in Dolby Vision, with ProRes RAW and genlock for people who cut film for a living.</p>
<h2>The display</h2>
<p>6.9 inches of Super Retina XDR, from 1 to 120 Hz, and up to 3000 nits in sunlight: readable at noon, gentle at midnight.</p>
<h2>In the box</h2>
<p>iPhone 17 Pro Max and a USB-C charge cable of one meter.</p>`;

export const phones = shelf({ category: 'Electronics > Phones', type: 'Phone', vendor: 'Apple', margin: 14 }, [
  {
    handle: 'iphone-17-pro-max',
    title: 'iPhone 17 Pro Max',
    sku: 'IP17PM',
    grams: 233,
    tags: ['launch', 'featured', 'new', 'iphone', '5g'],
    text: 'The 6.9-inch iPhone with a forged aluminum body, A19 Pro with vapor cooling and three 48-megapixel cameras that reach 8×.',
    html: LAUNCH,
    specs: { Display: '6.9-inch OLED, 1–120 Hz, up to 3000 nits', Chip: 'A19 Pro', Cameras: '48 MP main, ultra wide and telephoto; 18 MP in front', Battery: 'Up to 39 hours of video (eSIM model)', Charging: 'Half in about 20 minutes with 40 W', Wireless: '5G, Wi-Fi 7, Bluetooth 6, Thread', Connector: 'USB-C, USB 3 at up to 10 Gb/s', Size: '163.4 × 78.0 × 8.75 mm', 'Water and dust': 'IP68' },
    art: { kind: 'phone', back: 'pro' },
    views: [
      { name: 'display', alt: 'The 6.9-inch display of iPhone 17 Pro Max', art: { kind: 'screen', color: '#d9692b' } },
      { name: 'cameras', alt: 'The three cameras of iPhone 17 Pro Max, close up', art: { kind: 'cameras', color: '#d9692b' } },
    ],
    options: [
      colors(PRO_FINISHES),
      storage({
        '256GB': prices(1199, 1449, 1199, 194800, 399.9),
        '512GB': prices(1399, 1699, 1399, 229800, 469.9),
        '1TB': prices(1599, 1949, 1599, 264800, 539.9),
        '2TB': prices(1999, 2449, 1999, 329800, 669.9),
      }),
    ],
  },
  {
    handle: 'iphone-17-pro',
    title: 'iPhone 17 Pro',
    sku: 'IP17P',
    grams: 206,
    tags: ['new', 'iphone', '5g'],
    text: 'Everything that makes the Pro Max a Pro, in a 6.3-inch body. The same A19 Pro with vapor cooling, the same three 48-megapixel cameras, one hand less.',
    points: ['6.3-inch Super Retina XDR, 1–120 Hz', 'Main, Ultra Wide and 4× Telephoto, 48 MP each', 'Up to 33 hours of video (eSIM model)', 'Forged aluminum, Ceramic Shield front and back'],
    specs: { Display: '6.3-inch OLED, 1–120 Hz, up to 3000 nits', Chip: 'A19 Pro', Cameras: '48 MP main, ultra wide and telephoto; 18 MP in front', Battery: 'Up to 33 hours of video (eSIM model)', Wireless: '5G, Wi-Fi 7, Bluetooth 6, Thread', Connector: 'USB-C, USB 3 at up to 10 Gb/s', Size: '150.0 × 71.9 × 8.75 mm', 'Water and dust': 'IP68' },
    art: { kind: 'phone', back: 'pro', size: 0.92 },
    options: [
      colors(PRO_FINISHES),
      storage({
        '256GB': prices(1099, 1299, 1099, 179800, 369.9),
        '512GB': prices(1299, 1549, 1299, 214800, 439.9),
        '1TB': prices(1499, 1799, 1499, 249800, 509.9),
      }),
    ],
  },
  {
    handle: 'iphone-17',
    title: 'iPhone 17',
    sku: 'IP17',
    grams: 177,
    tags: ['new', 'iphone', '5g'],
    text: 'The iPhone most people should buy. It now has the smooth 120 Hz display of the Pro, twice the storage to start with, and a front camera that frames the group for you.',
    points: ['6.3-inch display, 1–120 Hz', 'A19', '48 MP main and 48 MP ultra wide camera', 'Starts at 256GB'],
    specs: { Display: '6.3-inch OLED, 1–120 Hz', Chip: 'A19', Cameras: '48 MP main and ultra wide; 18 MP in front', Wireless: '5G, Wi-Fi 7, Bluetooth 6', Connector: 'USB-C', Size: '149.6 × 71.5 × 7.95 mm', 'Water and dust': 'IP68' },
    art: { kind: 'phone', back: 'duo', size: 0.92 },
    options: [
      colors({ Lavender: ['LAV', '#cfc3e2'], Sage: ['SAG', '#aebd9a'], 'Mist Blue': ['MST', '#a6bdd6'], White: ['WHT', '#eceeee'], Black: ['BLK', '#383a3d'] }),
      storage({ '256GB': prices(799, 949, 799, 129800, 269.9), '512GB': prices(999, 1199, 999, 164800, 339.9) }),
    ],
  },
  {
    handle: 'iphone-air',
    title: 'iPhone Air',
    sku: 'IPAIR',
    grams: 165,
    tags: ['new', 'iphone', '5g'],
    text: 'A phone of 5.6 millimeters. Titanium keeps it stiff, A19 Pro keeps it quick, and most of what is inside is battery.',
    points: ['6.5-inch display, 1–120 Hz', 'A19 Pro', 'One 48 MP camera, 18 MP in front', 'eSIM only'],
    specs: { Display: '6.5-inch OLED, 1–120 Hz', Chip: 'A19 Pro', Cameras: '48 MP main; 18 MP in front', Wireless: '5G, Wi-Fi 7, Bluetooth 6', Connector: 'USB-C', Size: '156.2 × 74.7 × 5.64 mm', 'Water and dust': 'IP68' },
    art: { kind: 'phone', back: 'air', size: 0.95 },
    options: [
      colors({ 'Sky Blue': ['SKY', '#c3d6e6'], 'Light Gold': ['GLD', '#e6d8bd'], 'Cloud White': ['WHT', '#f0f0ee'], 'Space Black': ['BLK', '#2a2b2e'] }),
      storage({
        '256GB': prices(999, 1199, 999, 159800, 339.9),
        '512GB': prices(1199, 1449, 1199, 194800, 409.9),
        '1TB': prices(1399, 1699, 1399, 229800, 479.9),
      }),
    ],
  },
  {
    handle: 'fairwick-4',
    title: 'Fairwick 4',
    vendor: 'Fairwick',
    sku: 'FW4',
    grams: 212,
    margin: 24,
    tags: ['5g', 'repairable'],
    text: 'A phone you can open with one screwdriver. Battery, screen, cameras and port come out in minutes, and parts are promised for eight years.',
    points: ['6.3-inch OLED, 120 Hz', 'Battery of 4400 mAh that you can change', 'Eight years of parts and security updates', 'Dual SIM'],
    specs: { Display: '6.3-inch OLED, 120 Hz', Battery: '4400 mAh, to be changed', Wireless: '5G, dual SIM', Connector: 'USB-C', Updates: 'Eight years' },
    art: { kind: 'phone', back: 'plain', size: 0.92 },
    options: [
      colors({ Forest: ['FOR', '#4f6b5d'], Sand: ['SND', '#cbb799'], Graphite: ['GRA', '#3a3d42'] }),
      storage({ '128GB': usual(549), '256GB': usual(599) }),
    ],
  },
  {
    handle: 'fairwick-mini',
    title: 'Fairwick Mini',
    vendor: 'Fairwick',
    sku: 'FWM',
    grams: 148,
    margin: 24,
    tags: ['5g', 'repairable', 'sale'],
    text: 'Small enough for one thumb, plain enough for a whole day. The 5.4-inch Fairwick keeps the parts you can change and leaves out what you will not miss.',
    points: ['5.4-inch OLED', 'Two cameras', 'Headphone jack', 'Battery you can change'],
    price: usual(329),
    was: usual(399),
    specs: { Display: '5.4-inch OLED', Cameras: 'Two', Wireless: '5G', Connector: 'USB-C and headphone jack' },
    art: { kind: 'phone', back: 'duo', size: 0.8 },
    options: [colors({ Ochre: ['OCH', '#c99a4b'], Slate: ['SLT', '#5f6c7b'] })],
  },
]);
