import type { Found } from "./scan-assignments.ts";
import { isReplaced } from "./tally.ts";

/** User and password of a request from a command line. */
const USER =
  /curl\s(?:[^\n;|]{0,400}?\s)?(?:-u|--user|--proxy-user)(?:\s{0,2}|=)["']?[^\s:"']{0,100}:([^\s"']{1,500})/iy;
/** The password of a statement of SQL that makes a user or changes one. */
const IDENTIFIED =
  /identified\s{1,4}(?:with\s{1,4}[\w"'`]{1,60}\s{1,4})?(?:by|as)\s{1,4}(?:password\s{1,4})?["']([^"'\n]{1,500})/iy;
const MAKES_USER = /\b(?:(?:create|alter)\s{1,4}(?:user|role)|grant)\s/i;
/** A variable or a placeholder. */
const STANDS_FOR_ONE = /[$<>{}()]|^pass(?:word)?$|^\*+$|^x+$/i;

/** A password that commands and statements take without naming it. The work is bounded. */
export function findInCommand(text: string, at: number): Found | undefined {
  const isStatement =
    /[iI]/.test(text[at] as string) && MAKES_USER.test(text.slice(Math.max(0, at - 300), at));
  const pattern = isStatement ? IDENTIFIED : USER;
  pattern.lastIndex = at;
  const value = pattern.exec(text)?.[1];
  if (value === undefined || STANDS_FOR_ONE.test(value) || isReplaced(value)) return undefined;
  const to = pattern.lastIndex;
  return { from: to - value.length, to, rule: "password" };
}
