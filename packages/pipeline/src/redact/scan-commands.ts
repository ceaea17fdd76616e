import type { Found } from "./scan-assignments.ts";
import { isReplaced } from "./tally.ts";

/** User and password of a request from a command line, also one that goes on behind a backslash. A quoted one ends at its quote. */
const USER =
  /curl\s(?:(?:[^\n;|]|\\\r?\n){0,400}?\s)?(?:-[a-z]{0,8}u|--user|--proxy-user)(?:\s{0,2}|=)(?:(["'])[^\s:"']{0,100}:((?:(?!\1)[^\n]){1,500})|[^\s:"']{0,100}:([^\s"']{1,500}))/iy;
/** The password of a statement of SQL that makes a user or changes one. A quote in it is doubled, or behind a backslash. */
const IDENTIFIED =
  /identified\s{1,4}(?:with\s{1,4}[\w"'`]{1,60}\s{1,4})?(?:by|as)\s{1,4}(?:password\s{1,4})?(["'])((?:\\.|\1\1|(?!\1)[^\n\\]){1,500})/iy;
const MAKES_USER = /\b(?:(?:create|alter)\s{1,4}(?:user|role)|grant)\s/i;
/** A variable or a placeholder. */
const STANDS_FOR_ONE = /[$<>{}()]|^pass(?:word)?$|^\*+$|^x+$/i;

/** A password that commands and statements take without naming it. The work is bounded. */
export function findInCommand(text: string, at: number): Found | undefined {
  const isStatement =
    /[iI]/.test(text[at] as string) && MAKES_USER.test(text.slice(Math.max(0, at - 300), at));
  const pattern = isStatement ? IDENTIFIED : USER;
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  const value = match?.[2] ?? match?.[3];
  if (value === undefined || STANDS_FOR_ONE.test(value) || isReplaced(value)) return undefined;
  const to = pattern.lastIndex;
  return { from: to - value.length, to, rule: "password" };
}
