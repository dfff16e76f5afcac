/**
 * The studio in which every picture is taken: a square sheet with a soft ground, one light from the
 * upper left, and the few brushes that the drawings share. Promises self-contained SVG: no script,
 * no font, nothing fetched.
 */

/** One picture. `draw` receives the studio and returns the shapes in the picture. */
export function picture({ width = 1200, height = 1200, ground = '#dfe3e8', floor = 985 }, draw) {
  const studio = new Studio();
  const scene = draw(studio);
  const backdrop = ground ? studio.backdrop(width, height, ground, floor) : '';
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    `<defs>${studio.defs()}</defs>${backdrop}${scene}</svg>\n`
  );
}

class Studio {
  #paints = new Map();
  #soft = new Set();
  #stamps = new Map();

  /**
   * A straight gradient; `stops` are `[offset, colour, opacity?]`, `line` is x1 y1 x2 y2 in box
   * fractions.
   */
  linear(stops, [x1, y1, x2, y2] = [0, 0, 0, 1]) {
    return this.#paint((id) => `<linearGradient id="${id}"${attributes({ x1, y1, x2, y2 })}>${list(stops)}</linearGradient>`);
  }

  /** A round gradient around `centre`, in box fractions. */
  radial(stops, [cx, cy, r] = [0.5, 0.5, 0.5]) {
    return this.#paint((id) => `<radialGradient id="${id}"${attributes({ cx, cy, r })}>${list(stops)}</radialGradient>`);
  }

  /** A painted surface under the studio's light. */
  surface(colour, depth = 1) {
    return this.linear(
      [[0, tone(colour, 0.16 * depth)], [0.45, colour], [1, tone(colour, -0.14 * depth)]],
      [0, 0, 0.75, 1],
    );
  }

  /** A polished edge, like a metal band seen from the front. */
  metal(colour) {
    return this.linear(
      [
        [0, tone(colour, -0.34)], [0.04, tone(colour, 0.5)], [0.13, tone(colour, -0.06)], [0.5, tone(colour, 0.2)],
        [0.87, tone(colour, -0.1)], [0.96, tone(colour, 0.34)], [1, tone(colour, -0.42)],
      ],
      [0, 0, 1, 0],
    );
  }

  /** A turned cylinder, lit from the left. */
  cylinder(colour) {
    return this.linear(
      [[0, tone(colour, -0.3)], [0.2, tone(colour, 0.2)], [0.42, colour], [0.8, tone(colour, -0.26)], [1, tone(colour, -0.42)]],
      [0, 0, 1, 0],
    );
  }

  /** A glow of light on a surface, to be laid over a shape with the same outline. */
  sheen(strength = 0.3) {
    return this.linear(
      [[0, '#fff', strength], [0.38, '#fff', strength * 0.12], [0.39, '#fff', 0], [1, '#000', strength * 0.2]],
      [0, 0, 1, 0.8],
    );
  }

  /** Shapes drawn once under a name and placed wherever they are needed. */
  stamp(name, shapes, x, y, scale = 1) {
    this.#stamps.set(name, `<g id="${name}">${shapes}</g>`);
    return `<use href="#${name}" transform="translate(${x} ${y}) scale(${scale})"/>`;
  }

  /** Blurred shapes, for shadows and glows. */
  blur(radius, shapes) {
    this.#soft.add(radius);
    return `<g filter="url(#b${radius})">${shapes}</g>`;
  }

  /** The contact shadow of an object standing on the floor at `y`. */
  contact(cx, y, halfWidth, strength = 1) {
    const pool = (opacity) => this.radial([[0, '#131a24', opacity], [0.55, '#131a24', opacity * 0.62], [0.82, '#131a24', opacity * 0.14], [1, '#131a24', 0]]);
    return (
      ellipse(cx + 8, y + 10, halfWidth * 1.3, 62, pool(0.32 * strength)) +
      ellipse(cx, y, halfWidth * 1.08, 20, pool(0.55 * strength))
    );
  }

  /** A rounded drop shadow behind an object that hangs or leans. */
  cast(x, y, width, height, radius, strength = 1) {
    return this.blur(26, rect(x + 14, y + 22, width, height, radius, '#141b25', { opacity: 0.3 * strength }));
  }

  backdrop(width, height, colour, floor) {
    const wall = this.radial([[0, tone(colour, 0.72)], [0.6, tone(colour, 0.42)], [1, tone(colour, 0.12)]], [0.42, 0.34, 0.86]);
    const table = this.linear([[0, tone(colour, 0.2), 0], [0.16, tone(colour, 0.3), 0.55], [1, tone(colour, 0.62), 0.9]]);
    return rect(0, 0, width, height, 0, wall) + rect(0, floor - 120, width, height - floor + 120, 0, table);
  }

  defs() {
    const filters = [...this.#soft].map(
      (radius) => `<filter id="b${radius}" filterUnits="userSpaceOnUse" x="-200" y="-200" width="2400" height="1600"><feGaussianBlur stdDeviation="${radius}"/></filter>`,
    );
    return [...this.#paints.values(), ...filters, ...this.#stamps.values()].join('');
  }

  #paint(make) {
    const key = make('');
    if (!this.#paints.has(key)) this.#paints.set(key, make(`p${this.#paints.size}`));
    return `url(#p${[...this.#paints.keys()].indexOf(key)})`;
  }
}

export const rect = (x, y, width, height, rx, fill, more) => element('rect', { x, y, width, height, rx: rx || undefined, fill, ...more });
export const circle = (cx, cy, r, fill, more) => element('circle', { cx, cy, r, fill, ...more });
export const ellipse = (cx, cy, rx, ry, fill, more) => element('ellipse', { cx, cy, rx, ry, fill, ...more });
export const path = (d, fill, more) => element('path', { d, fill, ...more });

/** An open line with round ends. */
export const line = (d, stroke, width, more) =>
  element('path', { d, fill: 'none', stroke, 'stroke-width': width, 'stroke-linecap': 'round', 'stroke-linejoin': 'round', ...more });

/** An outline only. */
export const outline = (stroke, width, opacity) => ({ stroke, 'stroke-width': width, 'stroke-opacity': opacity });

export const group = (transform, ...shapes) => `<g transform="${transform}">${shapes.join('')}</g>`;
export const at = (x, y, ...shapes) => group(`translate(${x} ${y})`, ...shapes);

/** `count` copies along an axis, each drawn by `make(index)`. */
export const repeat = (count, make) => Array.from({ length: count }, (_, index) => make(index)).join('');

/** The colour mixed with white (towards 1) or black (towards -1). */
export function tone(colour, amount) {
  return mix(colour, amount > 0 ? '#ffffff' : '#000000', Math.abs(amount));
}

export function mix(from, to, share) {
  const [a, b] = [channels(from), channels(to)];
  return '#' + a.map((value, i) => Math.round(value + (b[i] - value) * share).toString(16).padStart(2, '0')).join('');
}

function channels(hex) {
  const full = hex.length === 4 ? [...hex.slice(1)].map((digit) => digit + digit).join('') : hex.slice(1);
  return [0, 2, 4].map((start) => parseInt(full.slice(start, start + 2), 16));
}

function list(stops) {
  return stops.map(([offset, colour, opacity]) => element('stop', { offset, 'stop-color': colour, 'stop-opacity': opacity })).join('');
}

function element(name, values) {
  return `<${name}${attributes(values)}/>`;
}

function attributes(values) {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${typeof value === 'number' ? Math.round(value * 100) / 100 : value}"`)
    .join('');
}
