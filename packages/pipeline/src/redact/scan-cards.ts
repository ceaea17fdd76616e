import { endsInEscape } from "./escapes.ts";
import type { Tally } from "./tally.ts";

/** Digits, each with at most one blank or dash before it: nothing follows, so the search is linear. */
const RUN = /\d(?:[ -]?\d){11,}/g;
const GROUP = /\d+/g;
/** How numbers in groups are printed. The last of a 4-4-4-4 number may have up to three digits more. */
const PRINTED = ["4-4-4-4", "4-4-4-4-1", "4-4-4-4-2", "4-4-4-4-3", "4-6-5", "4-6-4"];
const MIN_LENGTH = 13;
const MAX_LENGTH = 19;

interface Group {
  from: number;
  to: number;
}

/** The text with the numbers of payment cards replaced. Parts of longer numbers, decimals and words are none. */
export function scanCards(text: string, tally: Tally): string {
  let out = "";
  let copied = 0;
  RUN.lastIndex = 0;
  for (let run = RUN.exec(text); run !== null; run = RUN.exec(text)) {
    const groups = groupsOf(text, run.index, run.index + run[0].length);
    for (let at = 0; at < groups.length; at++) {
      const found = cardAt(text, groups, at);
      if (found === undefined) continue;
      out += text.slice(copied, found.from) + tally.replace("card", text.slice(found.from, found.to));
      copied = found.to;
      at += found.groups - 1;
    }
  }
  return copied === 0 ? text : out + text.slice(copied);
}

/** The number's groups; without a first or last one that a letter or a fraction makes part of something else. */
function groupsOf(text: string, start: number, end: number): Group[] {
  const groups: Group[] = [];
  // `%20` before it is a blank, not its first digits.
  GROUP.lastIndex = text[start - 1] === "%" ? start + 2 : start;
  for (let group = GROUP.exec(text); group !== null && group.index < end; group = GROUP.exec(text)) {
    groups.push({ from: group.index, to: group.index + group[0].length });
  }
  const before = text[start - 1] ?? "";
  const inWord = /[A-Za-z]/.test(before) && !endsInEscape(text, start);
  if (inWord || (/[.,]/.test(before) && /\d/.test(text[start - 2] ?? ""))) groups.shift();
  if (/^(?:[A-Za-z]|[.,]\d)/.test(text.slice(end, end + 2))) groups.pop();
  return groups;
}

function cardAt(
  text: string,
  groups: readonly Group[],
  at: number,
): (Group & { groups: number }) | undefined {
  const first = groups[at] as Group;
  for (let count = Math.min(5, groups.length - at); count > 0; count--) {
    const last = groups[at + count - 1] as Group;
    const whole = text.slice(first.from, last.to);
    if (count > 1 && !isPrinted(whole)) continue;
    const digits = whole.replace(/\D/g, "");
    if (isCard(digits)) return { from: first.from, to: last.to, groups: count };
  }
  return undefined;
}

function isPrinted(text: string): boolean {
  const separators = new Set(text.replace(/\d/g, ""));
  const lengths = text.split(/\D/).map(({ length }) => length);
  return separators.size === 1 && PRINTED.includes(lengths.join("-"));
}

/** Of an issuer, as long as that one's numbers are, and with Luhn's check digit. */
export function isCard(digits: string): boolean {
  if (digits.length < MIN_LENGTH || digits.length > MAX_LENGTH) return false;
  return isIssued(Number(digits.slice(0, 6)), digits.length) && hasLuhnDigit(digits);
}

/** Issuer ranges by their first six digits: Visa, Mastercard, American Express, Discover, JCB, Diners, UnionPay, Maestro. */
function isIssued(bin: number, length: number): boolean {
  const four = Math.floor(bin / 100);
  const two = Math.floor(bin / 10_000);
  if (two >= 40 && two <= 49) return length === 16 || length === 13 || length === 19;
  if ((two >= 51 && two <= 55) || (bin >= 222_100 && bin <= 272_099)) return length === 16;
  if (two === 34 || two === 37) return length === 15;
  if (four >= 3528 && four <= 3589) return length >= 16;
  if (two === 36 || two === 38 || two === 39 || (four >= 3000 && four <= 3059)) return length === 14;
  if (four === 6011 || two === 65 || (four >= 6440 && four <= 6499) || two === 62) return length >= 16;
  return (two === 50 || (two >= 56 && two <= 58) || two === 63 || two === 67) && length >= 16;
}

function hasLuhnDigit(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at++) {
    const digit = digits.charCodeAt(digits.length - 1 - at) - 48;
    const twice = digit * 2;
    sum += at % 2 === 0 ? digit : twice > 9 ? twice - 9 : twice;
  }
  return sum % 10 === 0;
}
