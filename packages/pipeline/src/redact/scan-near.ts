/**
 * Secrets that prose hands over: "the API key is 8fK2...". Only just behind a word that names a secret, and only what no
 * person would write: long, mixed, without the breaks of names, versions, dates and ids.
 */

/** What may stand between the word and the value. */
const LINK =
  /["'`*_)\]]{0,3}\s{0,3}(?:(?:is|was|are|will be|to|as|value|called|now|here|this|following|new|set to|equals)\b\s{0,2}){0,3}(?:[:=|]|->|=>|→|-|–)?[*_]{0,3}\s{0,3}["'`(<[*_]{0,3}/iy;
const VALUE = /[\w+/=.~-]*/y;
const MIN_LENGTH = 16;
/** A value is told by its beginning; the whole of one goes. */
const MAX_LOOK = 200;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Where the value stands that follows a secret's name, which ends at `end`. The work is bounded by the value. */
export function findNear(text: string, end: number): { from: number; to: number } | undefined {
  LINK.lastIndex = end;
  LINK.test(text);
  const from = LINK.lastIndex;
  // Without anything between, it is a part of the name.
  if (from === end) return undefined;
  VALUE.lastIndex = from;
  const value = VALUE.exec(text)?.[0] ?? "";
  return looksRandom(value.slice(0, MAX_LOOK))
    ? { from, to: from + value.replace(/[.]+$/, "").length }
    : undefined;
}

/** As a generator writes it: one run of letters and digits that change places often, and use many different ones. */
export function looksRandom(value: string): boolean {
  if (value.length < MIN_LENGTH || UUID.test(value)) return false;
  return value
    .split(/[^A-Za-z0-9]/)
    .some((run) => run.length >= MIN_LENGTH && isMixed(run) && entropyBits(run) >= 3);
}

function isMixed(run: string): boolean {
  const changes = run.match(/(?<=\d)[A-Za-z]|(?<=[A-Za-z])\d/g)?.length ?? 0;
  return changes >= 3 && changes >= run.length / 10;
}

/** Shannon's, for one character. */
function entropyBits(run: string): number {
  const counts = new Map<string, number>();
  for (const letter of run) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / run.length) * Math.log2(count / run.length);
  return bits;
}
