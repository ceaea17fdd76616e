import { crc32, deflateSync } from "node:zlib";
import type { Browser } from "playwright";

interface Indexed {
  width: number;
  height: number;
  /** 256 or fewer colours, as r, g, b. */
  palette: number[];
  /** One palette index for each pixel, in base64. */
  pixels: string;
}

/**
 * The same picture with at most 256 colours, a half to a third of the size. A panel has few colours and their shades at
 * the edges of letters; the rarer shades become their nearest neighbours.
 */
export async function toPalettePng(browser: Browser, png: Buffer): Promise<Buffer> {
  const page = await browser.newPage();
  try {
    const { width, height, palette, pixels } = await page.evaluate(reduceColors, png.toString("base64"));
    const indices = Buffer.from(pixels, "base64");
    const rows = Buffer.alloc((width + 1) * height);
    for (let y = 0; y < height; y++) indices.copy(rows, y * (width + 1) + 1, y * width, (y + 1) * width);
    const header = Buffer.alloc(13);
    header.writeUInt32BE(width, 0);
    header.writeUInt32BE(height, 4);
    header.set([8, 3, 0, 0, 0], 8);
    return Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      chunk("IHDR", header),
      chunk("PLTE", Buffer.from(palette)),
      chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })),
      chunk("IEND", Buffer.alloc(0)),
    ]);
  } finally {
    await page.close();
  }
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** Runs in the browser, which can read PNG. */
async function reduceColors(base64: string): Promise<Indexed> {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (context === null) throw new Error("This browser has no canvas.");
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const colorAt = (pixel: number): number =>
    ((data[pixel * 4] ?? 0) << 16) | ((data[pixel * 4 + 1] ?? 0) << 8) | (data[pixel * 4 + 2] ?? 0);
  const counts = new Map<number, number>();
  for (let pixel = 0; pixel < width * height; pixel++) {
    const color = colorAt(pixel);
    counts.set(color, (counts.get(color) ?? 0) + 1);
  }
  const parts = (color: number): [number, number, number] => [color >> 16, (color >> 8) & 255, color & 255];
  const distance = (one: number, other: number): number => {
    const [r, g, b] = parts(one);
    const [or, og, ob] = parts(other);
    return (r - or) ** 2 + (g - og) ** 2 + (b - ob) ** 2;
  };
  const ranked = [...counts.keys()].sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
  const kept = ranked.slice(0, 96);
  const rest = ranked.slice(96).map((color) => {
    return { color, far: Math.min(...kept.map((other) => distance(color, other))) };
  });
  // The other places go to what would be missed most: a word in red has few pixels, but no neighbour.
  while (kept.length < 256) {
    const missed = rest.reduce((most, one) => (one.far > most.far ? one : most), { color: 0, far: 0 });
    if (missed.far === 0) break;
    kept.push(missed.color);
    for (const one of rest) one.far = Math.min(one.far, distance(one.color, missed.color));
  }
  const indexOf = new Map(kept.map((color, index) => [color, index]));
  const nearest = (color: number): number => {
    let best = 0;
    kept.forEach((candidate, index) => {
      if (distance(color, candidate) < distance(color, kept[best] ?? 0)) best = index;
    });
    return best;
  };
  const indices = new Uint8Array(width * height);
  for (let pixel = 0; pixel < indices.length; pixel++) {
    const color = colorAt(pixel);
    const index = indexOf.get(color) ?? nearest(color);
    indexOf.set(color, index);
    indices[pixel] = index;
  }
  let pixels = "";
  for (let from = 0; from < indices.length; from += 8192) {
    pixels += String.fromCharCode(...indices.subarray(from, from + 8192));
  }
  return { width, height, palette: kept.flatMap(parts), pixels: btoa(pixels) };
}
