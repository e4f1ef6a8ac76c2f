// One map, by WebGL where the browser has it, else as a plain drawing; both answer to the same calls.

export function webglWorks() {
  try {
    return Boolean(document.createElement("canvas").getContext("webgl2"));
  } catch {
    return false;
  }
}

const drawing = webglWorks() ? import("./glmap.js") : import("./svgmap.js");

// `on`: hover(found, point), pick(found), moved(), left; `states`: whether a state's name
// can be picked; `clusters`: whether sites close to each other stand as one.
export const createMap = async (container, plan, on) => (await drawing).createMap(container, plan, on);

// West, south, east, north of movements and a box.
export function boundsOf(collection, [west, south, east, north]) {
  const box = [
    [west, south],
    [east, north],
  ];
  for (const { geometry } of collection.features) {
    for (const [lon, lat] of geometry.coordinates) {
      box[0] = [Math.min(box[0][0], lon), Math.min(box[0][1], lat)];
      box[1] = [Math.max(box[1][0], lon), Math.max(box[1][1], lat)];
    }
  }
  return box;
}
