import type { Tally } from "./tally.ts";

/** `@`, also as it stands in an address of the web. */
const AT = /@|%40/g;
const LOCAL = /[A-Za-z0-9._%+'\u00C0-\u024F-]/;
const DOMAIN = /[A-Za-z0-9.-]{3,253}/y;
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}$/;
const MAX_LOCAL = 64;

/**
 * The text with e-mail addresses replaced. Not among them: `git@host:path`, users in URLs, packages with a version,
 * decorators, and images named for twice the resolution. From each `@` the work is bounded.
 */
export function scanEmails(text: string, tally: Tally): string {
  let out = "";
  let copied = 0;
  AT.lastIndex = 0;
  for (let hit = AT.exec(text); hit !== null; hit = AT.exec(text)) {
    const from = localStart(text, hit.index, copied);
    const to = domainEnd(text, AT.lastIndex);
    if (to === undefined || from === hit.index || isOther(text, from, hit.index, to)) continue;
    out += text.slice(copied, from) + tally.replace("email", text.slice(from, to));
    copied = to;
    AT.lastIndex = to;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

function localStart(text: string, at: number, copied: number): number {
  let from = at;
  while (from > copied && at - from < MAX_LOCAL && LOCAL.test(text[from - 1] as string)) from--;
  // A quote or an escape before it is not its first letter.
  while (from < at && /['%.]/.test(text[from] as string)) from += text[from] === "%" ? 3 : 1;
  if (text[from - 1] === "\\" && /[nrt]/.test(text[from] as string)) from++;
  return Math.min(from, at);
}

function domainEnd(text: string, from: number): number | undefined {
  DOMAIN.lastIndex = from;
  const domain = DOMAIN.exec(text)?.[0].replace(/[.-]+$/, "");
  return domain !== undefined && HOST.test(domain) ? from + domain.length : undefined;
}

function isOther(text: string, from: number, at: number, to: number): boolean {
  const local = text.slice(from, at);
  const path = text[to] === ":" && /[\w~/]/.test(text[to + 1] ?? "") && !/\d/.test(text[to + 1] ?? "");
  return (
    text.startsWith("://", from - 3) ||
    (local === "git" && path) ||
    /^\d(?:\.\d)?x\.[a-z]+$/.test(text.slice(at + 1, to))
  );
}
