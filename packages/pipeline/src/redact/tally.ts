import type { Redaction } from "@spanloom/model";

/** What stands in a secret's place, where values are to stay comparable. */
export type TokenOf = (rule: string, secret: string) => string;

/** Of a token, in hex. */
const HASH_LENGTH = 16;
const MARKER_SOURCE = `\\[(?:redacted:[\\w-]{1,60}|[\\w-]{1,60}:[A-Za-z0-9]{1,16}:[0-9a-f]{${HASH_LENGTH}})\\]`;
const HASH = /^[0-9a-f]*$/;
const WHOLE = new RegExp(`^${MARKER_SOURCE}$`);
const BEGINS = new RegExp(`^${MARKER_SOURCE.slice(0, -2)}(?:\\]|$)`);
const MARKERS = new RegExp(`(${MARKER_SOURCE})`, "g");

/** Takes secrets' places, and counts how often each rule took something out. */
export class Tally {
  readonly #tokenOf: TokenOf | undefined;
  #counts: Map<string, number> | undefined;

  constructor(tokenOf?: TokenOf) {
    this.#tokenOf = tokenOf;
  }

  /** Whether anything was counted. */
  get any(): boolean {
    return this.#counts !== undefined;
  }

  count(rule: string): void {
    this.#counts ??= new Map();
    this.#counts.set(rule, (this.#counts.get(rule) ?? 0) + 1);
  }

  /** Counts one, and gives what stands in the secret's place. No rule matches it. */
  replace(rule: string, secret: string): string {
    this.count(rule);
    return this.marker(rule, secret);
  }

  marker(rule: string, secret: string): string {
    return this.#tokenOf?.(rule, secret) ?? `[redacted:${rule}]`;
  }

  /** What an earlier cleaning counted and what this one did, by rule. */
  addTo(known: readonly Redaction[] | undefined): Redaction[] {
    const sums = new Map(known?.map(({ rule, count }) => [rule, count]));
    for (const [rule, count] of this.#counts ?? []) sums.set(rule, (sums.get(rule) ?? 0) + count);
    return [...sums].map(([rule, count]) => ({ rule, count })).sort((a, b) => (a.rule < b.rule ? -1 : 1));
  }
}

/** True for a text that begins with a secret's stand-in, also one whose closing bracket was cut off: it is not redacted again. */
export function isReplaced(text: string): boolean {
  return text[0] === "[" && BEGINS.test(text);
}

/** True for a text that is a secret's stand-in and nothing else. */
export function isMarker(text: string): boolean {
  return text[0] === "[" && WHOLE.test(text);
}

/** The text with every part between stand-ins replaced by what `change` makes of it. */
export function betweenMarkers(text: string, change: (part: string) => string): string {
  if (!mayHoldMarker(text)) return change(text);
  const parts = text.split(MARKERS);
  return parts.length === 1 ? change(text) : parts.map((part, at) => (at % 2 ? part : change(part))).join("");
}

/** Many texts hold brackets, and a pattern that is tried at each of them takes its time. */
function mayHoldMarker(text: string): boolean {
  if (text.includes("[redacted:")) return true;
  for (let end = text.indexOf("]"); end !== -1; end = text.indexOf("]", end + 1)) {
    const hash = end - HASH_LENGTH;
    if (text[hash - 1] === ":" && HASH.test(text.slice(hash, end))) return true;
  }
  return false;
}

/** A key without the names of rules in it: they are not its own words. */
export function withoutMarkers(key: string): string {
  return key.includes("[") ? key.replace(MARKERS, "") : key;
}
