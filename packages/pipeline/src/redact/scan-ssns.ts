import type { Tally } from "./tally.ts";

/** United States social security numbers as they are printed; the numbers that are never given out are none. */
const LIKE_ONE = /\d{3}-\d{2}-\d{4}/;
const PRINTED = /(?<![\w-]|\d[.,])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])/g;
const AFTER_ESCAPE = /(?<=\\[nrt]|%20)(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])/g;
/** Without dashes only where the text says what it is. */
const NAME = /ssn|social/i;
const NAMED =
  /((?:\bssn|social[ _-]?security(?:[ _-]?(?:number|no|num))?)\b[^\w\n]{1,8}(?:is )?["']?)((?!000|666|9)\d{3}[ -]?(?!00)\d{2}[ -]?(?!0000)\d{4})(?![\w-])/gi;

export function scanSsns(text: string, tally: Tally): string {
  const hide = (ssn: string): string => tally.replace("ssn", ssn);
  const rest = LIKE_ONE.test(text) ? text.replace(PRINTED, hide).replace(AFTER_ESCAPE, hide) : text;
  if (!NAME.test(rest)) return rest;
  return rest.replace(NAMED, (_match, name: string, ssn: string) => name + hide(ssn));
}
