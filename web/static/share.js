// The drawing of the server as a picture that any program takes.

import { h } from "./dom.js";

const WIDTH = 2216; // twice the drawing's own: sharp on paper and on slides

export async function savePng(address, name) {
  const drawing = await (await fetch(address)).text();
  const source = URL.createObjectURL(new Blob([drawing], { type: "image/svg+xml" }));
  try {
    const [, , width, height] = drawing
      .match(/viewBox="([^"]+)"/)[1]
      .split(" ")
      .map(Number);
    const image = new Image(WIDTH, Math.round((WIDTH * height) / width));
    image.src = source;
    await image.decode();
    const canvas = h("canvas", { width: image.width, height: image.height });
    canvas.getContext("2d").drawImage(image, 0, 0, image.width, image.height);
    const content = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    save(content, name);
  } finally {
    URL.revokeObjectURL(source);
  }
}

export function save(content, name) {
  const address = URL.createObjectURL(content);
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
