import type { LiteralSearch } from "./find-literals.ts";
import { findInCommand } from "./scan-commands.ts";
import { findElement } from "./scan-elements.ts";
import { findNear, looksRandom } from "./scan-near.ts";
import type { KeyRule } from "./secret-keys.ts";
import { isReplaced, type Tally } from "./tally.ts";

/** Decides over a key; cached by the caller. */
export type KeyDecision = (key: string) => KeyRule | undefined;

const KEY_CHARACTER = /[\w.-]/;
const MAX_KEY = 64;
/**
 * From the end of a key to the beginning of its value: closing quote, `:`, `=` or `=>`, opening quote. Also what stands
 * between the two of a JSON list (`["authorization","..."]`) and of `{"name":"authorization","value":"..."}`, and the
 * asterisks of a name that Markdown has in bold.
 */
const OPERATOR =
  /((?:\\{0,8}["'`])?)\*{0,2}\s{0,4}(:=|=>|=|:|,\s{0,4}\\{0,8}"values?\\{0,8}"\s{0,4}:\s{0,4}\[?|,)\*{0,2}[ \t]{0,4}((?:\\{0,8}["'`])?)/y;
const LIST_BEGINS = /\[\s{0,4}\\{0,8}["']$/;
/** Where a value without quotes ends; a header's goes to the end of its line. */
const BARE = /[^\s"'`,;&<>)}\]\\]*/y;
const LINE = /[^\r\n"'`\\]*/y;
/** How much of a value is looked at to tell whether it is a secret. The whole of one that is goes. */
const MAX_LOOK = 512;
const SCHEME =
  /(?:bearer|basic|digest|token|apikey|api-key|negotiate|hmac|aws4-hmac-sha256|sharedaccesssignature)\s{1,4}/iy;
const SCHEME_ONLY = /(?:(?<![A-Za-z])|(?<=\\[nrt]))(?:bearer|basic)\s{1,4}([\w.~+/=-]{6,})/giy;
/** Code and templates, not a secret: calls, members, placeholders. */
const CODE = /[(){}[\]$<>]|^(?:process|os|env|config|this|self|settings|options|secrets|vars)\b|^\*+$|^x+$/i;
/** A variable of the environment that somebody wrote in lower case; a value that is named alike is another variable. */
const LOWER_VARIABLE = /^[a-z][a-z0-9]*(?:_[a-z0-9]+){2,}$/;
const ABOUT_SECRETS = /key|token|secret|pass|cred|auth|none|null|undefined|false/i;
const LIKE_A_CONNECTION =
  /(?:host|server|user|user id|uid|username|endpoint|data source|dbname|accountname)\s?=/i;

/** A secret: where it stands, and the rule that found it. */
export interface Found {
  from: number;
  to: number;
  rule: string;
}

/**
 * The text with the values replaced that it assigns to secret names: JSON and fragments of it (also escaped, also cut
 * off), headers, query strings, environment files, command lines, connection strings, and code with a literal in it.
 * `words` finds where to look; from each hit the work is bounded by the value.
 */
export function scanAssignments(
  text: string,
  words: LiteralSearch,
  decide: KeyDecision,
  tally: Tally,
): string {
  let out = "";
  let copied = 0;
  let next = 0;
  for (let hit = words.next(text, next); hit !== null; hit = words.next(text, next)) {
    const key = keyAround(text, hit.index, words.end);
    const found = isRuleName(text, key) ? undefined : findSecret(text, hit.index, key, decide);
    if (found === undefined || found.from < copied) {
      // Another word of the same key would be answered alike.
      next = Math.max(words.end, key.end);
      continue;
    }
    out += text.slice(copied, found.from) + tally.replace(found.rule, text.slice(found.from, found.to));
    copied = found.to;
    next = Math.max(words.end, found.to);
  }
  return copied === 0 ? text : out + text.slice(copied);
}

/** The rule in a token names nothing. */
function isRuleName(text: string, { start }: Key): boolean {
  return text[start - 1] === "[" && isReplaced(text.slice(start - 1, start + 128));
}

function findSecret(text: string, hit: number, key: Key, decide: KeyDecision): Found | undefined {
  return (
    findScheme(text, hit) ??
    findAssigned(text, key, decide) ??
    findElement(text, key, decide) ??
    findInCommand(text, hit) ??
    findHandedOver(text, key, decide)
  );
}

/** `Bearer <token>` and `Basic <base64>` anywhere; "basic requirements" and "bearer of news" are neither. */
function findScheme(text: string, at: number): Found | undefined {
  SCHEME_ONLY.lastIndex = at;
  const match = SCHEME_ONLY.exec(text);
  const value = match?.[1];
  if (match === null || value === undefined) return undefined;
  const basic = /^b(?:asic)/i.test(match[0]);
  const secret = basic ? isUserAndPassword(value) : /\d|[a-z][A-Z]|[A-Z][a-z]+[A-Z]|[._~+/=-]\w/.test(value);
  const to = SCHEME_ONLY.lastIndex;
  return secret ? { from: to - value.length, to, rule: basic ? "basic-auth" : "bearer-token" } : undefined;
}

function isUserAndPassword(base64: string): boolean {
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(base64) && /^[\x20-\x7e]*:[\x20-\x7e]*$/.test(decodeBase64(base64));
}

function decodeBase64(text: string): string {
  return Buffer.from(text.slice(0, 400), "base64").toString("latin1");
}

/** A name that may be a secret's. */
export interface Key {
  start: number;
  end: number;
}

/** The whole key that a hit is part of. */
function keyAround(text: string, hit: number, hitEnd: number): Key {
  let start = hit;
  while (start > 0 && hit - start < MAX_KEY && KEY_CHARACTER.test(text[start - 1] as string)) start--;
  let end = hitEnd;
  while (!KEY_CHARACTER.test(text[end - 1] as string)) end--;
  while (end < text.length && end - hitEnd < MAX_KEY && KEY_CHARACTER.test(text[end] as string)) end++;
  // An escape before the key (`\npassword`, `\u0026token`) is no part of it.
  if (text[start - 1] === "\\")
    start += /^(?:u[0-9A-Fa-f]{4}|[nrt])/.exec(text.slice(start, start + 5))?.[0].length ?? 0;
  return { start, end };
}

/** What stands before a key, also where JSON text has it as an escape. */
function characterBefore(text: string, start: number): string | undefined {
  const code = /\\u([0-9A-Fa-f]{4})$/.exec(text.slice(Math.max(0, start - 6), start))?.[1];
  return code === undefined ? text[start - 1] : String.fromCharCode(Number.parseInt(code, 16));
}

function findAssigned(text: string, { start, end }: Key, decide: KeyDecision): Found | undefined {
  OPERATOR.lastIndex = end;
  const operator = OPERATOR.exec(text);
  if (operator === null) return undefined;
  const key = text.slice(start, end);
  const rule = decide(key) ?? signatureRule(key, characterBefore(text, start));
  if (rule === undefined) return undefined;
  const [whole, closing = "", sign = "", opening = ""] = operator;
  const from = end + whole.length;
  const line = sign === ":" && (rule.name === "cookie" || rule.name === "authorization");
  const look = text.slice(from, from + MAX_LOOK);
  const value = look.slice(0, valueEnd(look, 0, opening, line));
  if (value === "" || isReplaced(value)) return undefined;
  if (!isSecretValue({ key, rule, value, closing, sign, opening, spaced: /\s/.test(whole), text, start }))
    return undefined;
  SCHEME.lastIndex = 0;
  const scheme = SCHEME.exec(value)?.[0].length ?? 0;
  if (scheme > 0 && (scheme === value.length || isReplaced(value.slice(scheme)))) return undefined;
  return { from: from + scheme, to: valueEnd(text, from, opening, line), rule: rule.name };
}

/** A value that prose gives with its name. */
function findHandedOver(text: string, { start, end }: Key, decide: KeyDecision): Found | undefined {
  const rule = decide(text.slice(start, end));
  const near = rule === undefined ? undefined : findNear(text, end);
  return rule === undefined || near === undefined ? undefined : { ...near, rule: rule.name };
}

/** Signatures of presigned links open what they sign. */
function signatureRule(key: string, before: string | undefined): KeyRule | undefined {
  const inQuery = before === "?" || before === "&";
  return inQuery && /(?:^|-)(?:sig|signature|key)$/i.test(key)
    ? { name: "signature", takes: "text" }
    : undefined;
}

function valueEnd(text: string, from: number, opening: string, line: boolean): number {
  if (opening !== "") {
    const end = closingQuote(text, from, opening);
    return end === -1 ? text.length : end;
  }
  const pattern = line ? LINE : BARE;
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
}

/** The next quote that is escaped exactly as the opening one is: text in JSON in JSON has `\"`, then `\\\"`. */
function closingQuote(text: string, from: number, opening: string): number {
  const quote = opening.at(-1) as string;
  const depth = opening.length - 1;
  for (let at = text.indexOf(quote, from); at !== -1; at = text.indexOf(quote, at + 1)) {
    let slashes = 0;
    while (slashes < at - from && text[at - 1 - slashes] === "\\") slashes++;
    if (slashes <= depth) return at - slashes;
  }
  return -1;
}

interface Assigned {
  key: string;
  rule: KeyRule;
  value: string;
  closing: string;
  sign: string;
  opening: string;
  spaced: boolean;
  text: string;
  start: number;
}

function isSecretValue({ key, rule, value, closing, sign, opening, spaced, text, start }: Assigned): boolean {
  if (rule.takes === "random") return looksRandom(value);
  const before = characterBefore(text, start);
  // JSON: a quoted key and a colon. Texts always, numbers where the rule takes them; true, null and structures never.
  if (closing !== "" && sign === ":") {
    if (opening !== "") return true;
    return rule.takes === "everything" && /^-?\d/.test(value);
  }
  if (sign.startsWith(",")) {
    const named =
      sign !== "," || key.startsWith("-") || LIST_BEGINS.test(text.slice(Math.max(0, start - 16), start));
    return named && closing !== "" && opening !== "";
  }
  if (sign === ":" && opening === "") {
    if (rule.name === "cookie") return /^[^\s=;]+=[^\s]/.test(value);
    SCHEME.lastIndex = 0;
    const scheme = rule.name === "authorization" ? (SCHEME.exec(value)?.[0].length ?? 0) : 0;
    if (scheme > 0 && !CODE.test(value.slice(scheme))) return true;
  }
  if (opening === "" && CODE.test(value)) return false;
  if (sign === "=" && !spaced && opening === "") {
    if (before === "?" || before === "&" || before === ";") return true;
    if (text.startsWith("--", start)) return true;
    if (/^[A-Z][A-Z0-9_]+$/.test(key)) return value.length >= 3;
    if (LOWER_VARIABLE.test(key) && value.length >= 6 && !ABOUT_SECRETS.test(value)) return true;
    const near = text.slice(Math.max(0, start - 200), start);
    const inCall = near.includes(",", near.lastIndexOf("(")) && near.lastIndexOf("(") > near.lastIndexOf(")");
    if (!inCall && LIKE_A_CONNECTION.test(near + text.slice(start, start + 400))) return true;
  }
  return looksMade(value);
}

/** Not a word of prose or an identifier of code. */
function looksMade(value: string): boolean {
  return value.length >= 6 && !/\s/.test(value) && /\d|[!@#%^*+=~]/.test(value) && !CODE.test(value);
}
