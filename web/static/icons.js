// Symbols and labels, drawn on canvases: the map then needs no fonts or images from a server.

export const INK = "#16222e";
export const ACCENT = "#d6186b";
const PAPER = "#ffffff";
const PORT = "#0b5c8a";
const RATIO = 2; // canvas pixels per screen pixel
const SIDE = 28; // screen pixels

const NEW = "#1b7837";
const GONE = "#762a83";

const SHAPES = {
  warehouse: (c) => c.rect(-8, -8, 16, 16),
  cold_store: (c) => c.arc(0, 0, 9, 0, 2 * Math.PI),
  cargo_terminal: (c) => c.rect(-12, -5, 24, 10),
  mmlp: (c) =>
    polygon(c, [
      [0, -12],
      [12, 0],
      [0, 12],
      [-12, 0],
    ]),
  depot: (c) =>
    polygon(c, [
      [-7, -6],
      [7, -6],
      [0, 7],
    ]),
  port: (c) => c.arc(0, 0, 10, 0, 2 * Math.PI),
  option: (c) => c.arc(0, 0, 4, 0, 2 * Math.PI),
};

// Sites too close to be told apart at this scale, as one sign with their number.
export function clusterCanvas(count) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE * RATIO;
  const c = canvas.getContext("2d");
  c.scale(RATIO, RATIO);
  c.arc(SIDE / 2, SIDE / 2, 11, 0, 2 * Math.PI);
  Object.assign(c, { fillStyle: ACCENT, strokeStyle: PAPER, lineWidth: 2 });
  c.fill();
  c.stroke();
  Object.assign(c, { fillStyle: PAPER, textAlign: "center", textBaseline: "middle", font: "700 12px system-ui, sans-serif" });
  c.fillText(count, SIDE / 2, SIDE / 2 + 0.5);
  return canvas;
}

export const SYMBOLS = Object.keys(SHAPES);

function polygon(c, points) {
  points.forEach(([x, y], i) => (i ? c.lineTo(x, y) : c.moveTo(x, y)));
  c.closePath();
}

// Fill, outline and sign of a symbol in a state: what a colour says, fill or sign says as well.
function look(name, state) {
  if (state === "new") return { fill: NEW, stroke: PAPER, width: 4 };
  if (state === "gone") return { fill: PAPER, stroke: GONE, width: 3 };
  if (state === "forced") return { fill: INK, stroke: PAPER, width: 3, sign: tick, scale: 1.9 };
  if (state === "forbidden" || state === "closed")
    return { fill: PAPER, stroke: INK, width: 2, sign: cross, scale: name === "option" ? 1.9 : 1 };
  if (state === "hollow") return { fill: PAPER, stroke: ACCENT, width: 2.5 };
  if (name === "option") return { fill: PAPER, stroke: "#56646f", width: 1.5 };
  if (name === "port") return { fill: PAPER, stroke: PORT, width: 2, sign: anchor };
  if (name === "depot") return { fill: PAPER, stroke: INK, width: 2 };
  return { fill: ACCENT, stroke: PAPER, width: 4 };
}

export function symbolCanvas(name, state = "") {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE * RATIO;
  const c = canvas.getContext("2d");
  const { fill, stroke, width, sign, scale = 1 } = look(name, state);
  c.scale(RATIO, RATIO);
  c.translate(SIDE / 2, SIDE / 2);
  c.lineJoin = c.lineCap = "round";
  c.save();
  c.scale(scale, scale);
  c.beginPath();
  SHAPES[name](c);
  c.restore();
  c.strokeStyle = stroke;
  c.fillStyle = fill;
  c.lineWidth = width;
  if (fill === PAPER) {
    c.fill();
    c.stroke();
  } else {
    c.stroke();
    c.fill();
  }
  sign?.(c);
  return canvas;
}

function tick(c) {
  c.strokeStyle = PAPER;
  c.lineWidth = 2.2;
  c.beginPath();
  c.moveTo(-4, 0);
  c.lineTo(-1, 3.5);
  c.lineTo(4.5, -3.5);
  c.stroke();
}

function cross(c) {
  c.lineWidth = 2.2;
  c.beginPath();
  for (const [x, y] of [
    [-3.5, -3.5],
    [-3.5, 3.5],
  ]) {
    c.moveTo(x, y);
    c.lineTo(-x, -y);
  }
  c.stroke();
}

function anchor(c) {
  c.lineWidth = 1.6;
  c.beginPath();
  c.moveTo(0, -3);
  c.lineTo(0, 6);
  c.moveTo(-3, -1);
  c.lineTo(3, -1);
  c.stroke();
  c.beginPath();
  c.arc(0, -4.5, 1.4, 0, 2 * Math.PI);
  c.stroke();
  c.beginPath();
  c.arc(0, 1, 5, 0.15 * Math.PI, 0.85 * Math.PI);
  c.stroke();
}

export function labelCanvas(text, { size, weight, colour }) {
  const canvas = document.createElement("canvas");
  let c = canvas.getContext("2d");
  const font = `${weight} ${size}px system-ui, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Devanagari", sans-serif`;
  c.font = font;
  const width = Math.ceil(c.measureText(text).width) + 8;
  const height = Math.ceil(1.3 * size) + 8;
  canvas.width = width * RATIO;
  canvas.height = height * RATIO;
  c = canvas.getContext("2d");
  c.scale(RATIO, RATIO);
  c.font = font;
  c.textBaseline = "middle";
  c.lineJoin = "round";
  c.lineWidth = 3.5;
  c.strokeStyle = "rgba(255,255,255,0.9)";
  c.strokeText(text, 4, height / 2);
  c.fillStyle = colour;
  c.fillText(text, 4, height / 2);
  return canvas;
}

// For districts without a value.
export function hatchCanvas() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8 * RATIO;
  const c = canvas.getContext("2d");
  c.scale(RATIO, RATIO);
  c.fillStyle = PAPER;
  c.fillRect(0, 0, 8, 8);
  c.strokeStyle = "#9aa7b2";
  c.lineWidth = 1;
  c.beginPath();
  for (const at of [-8, 0, 8]) {
    c.moveTo(at, 8);
    c.lineTo(at + 8, 0);
  }
  c.stroke();
  return canvas;
}

export function imageOf(canvas) {
  return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
}

export const PIXEL_RATIO = RATIO;
