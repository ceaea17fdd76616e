/**
 * Text as a key. Columns of text cannot hold NUL, and order by code points where JavaScript orders by UTF-16 units: what
 * differs is written as two characters. Two texts stay two, and order by bytes as JavaScript orders them.
 *
 * Lone surrogates become U+FFFD; ids have none, since such records are refused.
 */
export function keyText(text: string): string {
  if (PLAIN.test(text)) return text;
  return wellFormed(text).replace(SPECIAL, (char) => {
    if (char === "\u0000") return "\u0001\u0001";
    if (char === "\u0001") return "\u0001\u0002";
    // Above all astral characters; U+10FFFF itself stands below these again.
    return char === "\u{10ffff}" ? "\u{10ffff}\u0001" : `\u{10ffff}${char}`;
  });
}

/** Text to be searched in, or for: a column cannot hold NUL. */
export function searchText(text: string): string {
  return wellFormed(text).replaceAll("\u0000", "\u{10ffff}");
}

/** Ids in the tables are; another one would be found as one of them. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what comes after them is plain.
const PLAIN = /^[\u0002-\ud7ff]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about.
const SPECIAL = /[\u0000\u0001\ue000-\uffff\u{10ffff}]/gu;

/** The text of a key. */
export function textOfKey(key: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about.
  return key.replace(/\u0001[\u0001\u0002]|\u{10ffff}./gsu, (pair) => {
    if (pair.startsWith("\u0001")) return pair === "\u0001\u0001" ? "\u0000" : "\u0001";
    return pair === "\u{10ffff}\u0001" ? "\u{10ffff}" : pair.slice(2);
  });
}
