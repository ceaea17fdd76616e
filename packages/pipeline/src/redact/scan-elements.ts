import type { Found, Key, KeyDecision } from "./scan-assignments.ts";
import { looksRandom } from "./scan-near.ts";
import { isReplaced } from "./tally.ts";

/** The end of an opening tag, behind its attributes, and the text up to the closing one: no break and no markup in it. */
const ELEMENT = /(?:\s[^<>]{0,200})?>(\s{0,20}(?:<!\[CDATA\[)?)([^\s<>{}]{1,2000})\s{0,20}(?:\]\]>)?<\//y;
const OPENS = /<(?:[\w-]{1,30}:)?$/;

/** The text of an XML element of a secret name, such as `<password>...</password>`. */
export function findElement(text: string, { start, end }: Key, decide: KeyDecision): Found | undefined {
  if (!OPENS.test(text.slice(Math.max(0, start - 32), start))) return undefined;
  ELEMENT.lastIndex = end;
  const match = ELEMENT.exec(text);
  const rule = match === null ? undefined : decide(text.slice(start, end));
  if (match === null || rule === undefined) return undefined;
  const [, before = "", value = ""] = match;
  const from = text.indexOf(">", end) + 1 + before.length;
  // Linguists have elements called `token`, and pages labels.
  const isSecret = rule.takes === "everything" ? !value.startsWith("$") : looksRandom(value);
  return isSecret && !isReplaced(value) ? { from, to: from + value.length, rule: rule.name } : undefined;
}
