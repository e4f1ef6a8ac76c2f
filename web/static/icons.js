// Symbols and labels, drawn on canvases: the map then needs no fonts or images from a server.

export const INK = "#16222e";
export const ACCENT = "#d6186b";
const PAPER = "#ffffff";
const PORT = "#0b5c8a";
const RATIO = 2; // canvas pixels per screen pixel
const SIDE = 28; // screen pixels

const SHAPES = {
  warehouse: (c) => c.rect(-8, -8, 16, 16),
  cold_store: (c) => c.arc(0, 0, 9, 0, 2 * Math.PI),
  mmlp: (c) => polygon(c, [[0, -12], [12, 0], [0, 12], [-12, 0]]),
  depot: (c) => polygon(c, [[-7, -6], [7, -6], [0, 7]]),
  port: (c) => c.arc(0, 0, 10, 0, 2 * Math.PI),
};

export const SYMBOLS = Object.keys(SHAPES);
export const TIER_SIZE = { small: 0.62, medium: 0.82, standard: 0.72, large: 1 };

function polygon(c, points) {
  points.forEach(([x, y], i) => (i ? c.lineTo(x, y) : c.moveTo(x, y)));
  c.closePath();
}

export function symbolCanvas(name) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE * RATIO;
  const c = canvas.getContext("2d");
  c.scale(RATIO, RATIO);
  c.translate(SIDE / 2, SIDE / 2);
  c.lineJoin = c.lineCap = "round";
  c.beginPath();
  SHAPES[name](c);
  if (name === "port" || name === "depot") {
    c.fillStyle = PAPER;
    c.strokeStyle = name === "port" ? PORT : INK;
    c.lineWidth = 2;
    c.fill();
    c.stroke();
    if (name === "port") anchor(c);
  } else {
    c.strokeStyle = PAPER;
    c.lineWidth = 4;
    c.stroke();
    c.fillStyle = ACCENT;
    c.fill();
  }
  return canvas;
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

export function labelCanvas(text, { size, weight, colour, spacing }) {
  const canvas = document.createElement("canvas");
  let c = canvas.getContext("2d");
  const font = `${weight} ${size}px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif`;
  const style = () => {
    c.font = font;
    if ("letterSpacing" in c) c.letterSpacing = `${spacing}px`;
  };
  style();
  const width = Math.ceil(c.measureText(text).width) + 8;
  const height = size + 8;
  canvas.width = width * RATIO;
  canvas.height = height * RATIO;
  c = canvas.getContext("2d");
  c.scale(RATIO, RATIO);
  style();
  c.textBaseline = "middle";
  c.lineJoin = "round";
  c.lineWidth = 3.5;
  c.strokeStyle = "rgba(255,255,255,0.9)";
  c.strokeText(text, 4, height / 2);
  c.fillStyle = colour;
  c.fillText(text, 4, height / 2);
  return canvas;
}

export function imageOf(canvas) {
  return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
}

export const PIXEL_RATIO = RATIO;
