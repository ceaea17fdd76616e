import { classOf } from "./find-literals.ts";
import { SECRET_WORDS, SHAPES } from "./rules.ts";

/**
 * What a text may hold, told by one pass over its characters: every text of every span comes by here, and nearly all
 * hold nothing. A bit may be set in vain, and then a scan finds nothing; it is never missing.
 */
export const MAY_HOLD = {
  /** A word that may name a secret. */
  word: 1,
  /** How a secret of a known shape begins. */
  shape: 2,
  /** `://` */
  url: 4,
  /** Perhaps a backslash, behind which JSON text may say anything. */
  escape: 8,
  /** Digits enough for a number of a person. */
  digits: 16,
  /** Perhaps a percent-escape of what stands between a name and its value. */
  encoded: 32,
} as const;

/** Tests a text; the sum of {@link MAY_HOLD}. */
export type Prescan = (text: string) => number;

/** The digits of the shortest number that a rule knows, a phone's. */
const MIN_DIGITS = 7;
/** `words`: texts, in lower case, one of which stands in every text that names a secret of the host. */
export function createPrescan(words: readonly string[]): Prescan {
  const table = new Uint8Array(32_768);
  for (const { sure } of SECRET_WORDS) mark(table, sure, MAY_HOLD.word);
  for (const word of words) mark(table, word, MAY_HOLD.word);
  for (const { begins } of SHAPES) for (const begin of begins) mark(table, begin, MAY_HOLD.shape);
  mark(table, "://", MAY_HOLD.url);
  // `=`, `:`, and a `%` that was itself encoded.
  for (const begin of ["%3D", "%3A", "%25"]) mark(table, begin, MAY_HOLD.encoded);
  for (let before = 0; before < 1_024; before++) add(table, (before << 5) | classOf("\\"), MAY_HOLD.escape);
  const always = words.some((word) => word.length < 3) ? MAY_HOLD.word : 0;

  return (text) => {
    let bits = always;
    let three = 0;
    let digits = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      three = ((three << 5) | (code & 31)) & 32_767;
      // 1 for 48 to 57, which are the digits.
      digits += ((code ^ 48) - 10) >>> 31;
      bits |= table[three] as number;
    }
    return digits >= MIN_DIGITS ? bits | MAY_HOLD.digits : bits;
  };
}

/** Marks the three characters of the text that are met least often. A shorter text cannot be told. */
function mark(table: Uint8Array, text: string, bit: number): void {
  let best = 0;
  let index = -1;
  for (let at = 0; at + 3 <= text.length; at++) {
    const three = text.slice(at, at + 3);
    const rarity = [...three.toLowerCase()].reduce((sum, letter) => sum + rarityOf(letter), 0);
    if (rarity <= best) continue;
    best = rarity;
    index = [...three].reduce((bits, letter) => (bits << 5) | classOf(letter), 0);
  }
  if (index >= 0) add(table, index, bit);
}

function add(table: Uint8Array, index: number, bit: number): void {
  table[index] = (table[index] ?? 0) | bit;
}

/** By how often letters stand in English; others share their class with one or the other. */
function rarityOf(letter: string): number {
  const place = "etaoinsrhldcumfpgwybvkxjqz".indexOf(letter);
  return place === -1 ? 12 : place;
}
