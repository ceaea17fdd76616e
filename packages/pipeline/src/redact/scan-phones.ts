import type { Tally } from "./tally.ts";

/** With the country's code: eight to fifteen digits after a plus. */
const INTERNATIONAL =
  /(?:(?<=\\[nrt])|(?<![\w+.]))\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ .-]?\d){5,12}(?![\w-]|\.\d)/g;
/** As North America prints them; blanks alone do not tell them from a row of numbers. */
const NORTH_AMERICAN =
  /(?:(?<=\\[nrt])|(?<![\w.+/-]))(?:1[ .-])?(?:\([2-9]\d{2}\) ?[2-9]\d{2}[ .-]|[2-9]\d{2}([.-])[2-9]\d{2}\1)\d{4}(?![\w-]|\.\d)/g;
/** Any other only where the text says what it is. */
const NAMED =
  /((?:\b|_)(?:tele)?(?:phone|tel|mobile|fax|cell|whatsapp)(?:[ _-]?(?:number|no|nr))?\.?["'\\]{0,4}\s?[:=]\s?["'\\]{0,4}|\btel:)(\+?\(?\d(?:[ ()./-]{0,2}\d){6,14})(?![\w-])/gi;

/** The text with phone numbers replaced. Every repeat is bounded. */
export function scanPhones(text: string, tally: Tally): string {
  const hide = (phone: string): string => tally.replace("phone", phone);
  return text
    .replace(NAMED, (_match, name: string, phone: string) => name + hide(phone))
    .replace(INTERNATIONAL, hide)
    .replace(NORTH_AMERICAN, hide);
}
