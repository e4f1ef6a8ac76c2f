// One map, by WebGL where the browser has it, else as a plain drawing; both answer to the same calls.

import { createGlMap } from "./glmap.js";
import { createSvgMap } from "./svgmap.js";

export function webglWorks() {
  try {
    return Boolean(document.createElement("canvas").getContext("webgl2"));
  } catch {
    return false;
  }
}

export const createMap = (container, plan, on) => (webglWorks() ? createGlMap : createSvgMap)(container, plan, on);

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
