import { SpanloomError } from "@spanloom/model";
import { scanCards } from "./scan-cards.ts";
import { scanEmails } from "./scan-emails.ts";
import { scanIbans } from "./scan-ibans.ts";
import { scanPhones } from "./scan-phones.ts";
import { scanSsns } from "./scan-ssns.ts";
import { betweenMarkers, type Tally } from "./tally.ts";

/** Personal data that is found by its form. */
export type PersonalDataRule = "card" | "iban" | "ssn" | "email" | "phone";

/**
 * On by default is what does harm by itself and can be told from other numbers: `card` (issuer, length and Luhn's
 * check), `iban` (country, length and check of ISO 7064) and `ssn` (United States, written with dashes, of a range that
 * was ever given out). Addresses and phone numbers are what many workflows are about: `email` and `phone` are off.
 */
export type PersonalDataOptions = boolean | Readonly<Partial<Record<PersonalDataRule, boolean>>>;

export interface PersonalData {
  /** Cheap: whether the text may hold some. `hasDigits`: enough for a number. */
  suspect(text: string, hasDigits: boolean): boolean;
  readonly cards: boolean;
  scan(text: string, tally: Tally): string;
}

type Scan = (text: string, tally: Tally) => string;

/** In this order: a longer form before what it may contain. */
const SCANS: readonly [rule: PersonalDataRule, byDefault: boolean, scan: Scan][] = [
  ["email", false, scanEmails],
  ["iban", true, scanIbans],
  ["card", true, scanCards],
  ["ssn", true, scanSsns],
  ["phone", false, scanPhones],
];

/** Throws `invalid_argument` for a rule that does not exist: a misspelt one would leave data in. */
export function choosePersonalData(options: PersonalDataOptions = {}): PersonalData {
  const known = SCANS.map(([rule]): string => rule);
  const unknown = Object.keys(options).find((rule) => !known.includes(rule));
  if (unknown !== undefined) {
    throw new SpanloomError("invalid_argument", {
      what: `There is no rule for the personal data ${JSON.stringify(unknown)}.`,
      fix: `Name some of ${known.join(", ")}, or write a pattern of your own.`,
    });
  }
  const chosen = SCANS.filter(([rule, byDefault]) =>
    typeof options === "boolean" ? options : (options[rule] ?? byDefault),
  );
  const email = chosen.some(([rule]) => rule === "email");
  const numbers = chosen.length > (email ? 1 : 0);
  return {
    cards: chosen.some(([rule]) => rule === "card"),
    suspect: (text, hasDigits) =>
      (numbers && hasDigits) || (email && (text.includes("@") || text.includes("%40"))),
    scan: (text, tally) =>
      betweenMarkers(text, (part) => chosen.reduce((rest, [, , scan]) => scan(rest, tally), part)),
  };
}
