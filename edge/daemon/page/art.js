// A picture for an item that has none: the same item always gets the same colours and shapes.

const SVG = "http://www.w3.org/2000/svg";
let gradients = 0;

/** A number from 0 to 2^32 - 1 that depends on every character (FNV-1a). */
export function hash(text) {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ character.codePointAt(0), 0x01000193);
  return value >>> 0;
}

/** The colour of an item, 0 to 359: neighbours of one artist share it. */
export function hueOf(item) {
  return hash(item.artist || item.album || item.item) % 360;
}

/** Fill `place` with the picture of `item`; of null, with a calm one. */
export function draw(place, item) {
  const key = item ? item.item : "";
  if (place.dataset.item === key) return;
  place.dataset.item = key;
  const film = item && item.kind !== "track";
  const [width, height] = film ? [160, 90] : [100, 100];
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "xMidYMid slice" });
  const seed = hash(key || "roomtone");
  const hue = item ? hueOf(item) : 200;
  svg.append(ground(hue, seed), make("rect", { width, height, fill: `url(#g${gradients})` }));
  svg.append(...(film ? horizon(seed, hue) : grooves(seed, hue)));
  place.replaceChildren(svg);
}

function make(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function ground(hue, seed) {
  gradients += 1;
  const gradient = make("linearGradient", { id: `g${gradients}`, gradientTransform: `rotate(${seed % 90} .5 .5)` });
  gradient.append(make("stop", { offset: 0, "stop-color": `hsl(${hue} 52% 46%)` }));
  gradient.append(make("stop", { offset: 1, "stop-color": `hsl(${(hue + 55) % 360} 48% 20%)` }));
  return gradient;
}

/** Arcs around a point at the edge, as of a record. */
function grooves(seed, hue) {
  const x = (seed >>> 4) % 100, y = (seed >>> 12) % 2 ? 100 : 0;
  return Array.from({ length: 5 + seed % 3 }, (_, n) => make("circle", {
    cx: x, cy: y, r: 14 + n * (11 + (seed >>> 20) % 6), fill: "none",
    stroke: `hsl(${(hue + 20 * n) % 360} 75% 82%)`, "stroke-opacity": .62 - n * .07, "stroke-width": 1 + (seed >>> n) % 4,
  }));
}

/** Hills under a light, as of a landscape. */
function horizon(seed, hue) {
  const sun = make("circle", { cx: 25 + seed % 110, cy: 24 + (seed >>> 8) % 22, r: 9 + (seed >>> 5) % 8,
    fill: `hsl(${(hue + 30) % 360} 85% 84%)`, "fill-opacity": .85 });
  const hills = [0, 1, 2].map((n) => {
    const low = 52 + n * 13, lift = 8 + (seed >>> (3 * n)) % 22;
    return make("path", { d: `M0 ${low} Q${30 + (seed >>> n) % 40} ${low - lift} 85 ${low} T160 ${low - 4} V90 H0Z`,
      fill: `hsl(${(hue + 18 * n) % 360} 38% ${30 - n * 8}%)`, "fill-opacity": .9 });
  });
  return [sun, ...hills];
}
