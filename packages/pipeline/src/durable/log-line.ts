import { crc32 } from "node:zlib";

/**
 * A record as one line: `<CRC-32, 8 hex digits> <sequence> <JSON>`. JSON holds no line break, so that after a damaged
 * line the next one is found again; the check covers the sequence, too.
 */
export function encodeLine(sequence: number, json: string): Buffer {
  const line = Buffer.from(`         ${sequence} ${json}\n`);
  line.write(hex(crc32(line.subarray(9, -1))), 0, "latin1");
  return line;
}

export interface Line {
  sequence: number;
  json: string;
}

/** `undefined` for a line that is damaged or torn. */
export function decodeLine(line: Buffer): Line | undefined {
  if (line.length < 11 || line[8] !== SPACE) return undefined;
  const body = line.subarray(9);
  if (line.toString("latin1", 0, 8) !== hex(crc32(body))) return undefined;
  const space = body.indexOf(SPACE);
  const sequence = Number(body.toString("latin1", 0, space));
  if (space < 1 || !Number.isSafeInteger(sequence) || sequence < 1) return undefined;
  return { sequence, json: body.toString("utf8", space + 1) };
}

const SPACE = 32;

function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}
