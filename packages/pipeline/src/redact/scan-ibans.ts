import { endsInEscape } from "./escapes.ts";
import type { Tally } from "./tally.ts";

const HEAD = /[A-Za-z]{2}\d{2}(?= ?[A-Za-z0-9]{4})/g;
/** As long as the country's are, by the registry of ISO 13616. */
const LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 " +
    "FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 " +
    "LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 " +
    "RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
  )
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** The text with bank account numbers replaced, in one piece or in groups of four. From each head the work is bounded. */
export function scanIbans(text: string, tally: Tally): string {
  let out = "";
  let copied = 0;
  HEAD.lastIndex = 0;
  for (let head = HEAD.exec(text); head !== null; head = HEAD.exec(text)) {
    const from = head.index;
    HEAD.lastIndex = from + 1;
    if (/[A-Za-z0-9]/.test(text[from - 1] ?? "") && !endsInEscape(text, from)) continue;
    const length = LENGTHS.get(head[0].slice(0, 2).toUpperCase());
    const to = length === undefined ? undefined : ibanEnd(text, from, length);
    if (to === undefined || !isIban(text.slice(from, to).replaceAll(" ", ""))) continue;
    out += text.slice(copied, from) + tally.replace("iban", text.slice(from, to));
    copied = to;
    HEAD.lastIndex = to;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

/** Where that many letters and digits end; a blank may stand after every fourth, then after each. */
function ibanEnd(text: string, from: number, length: number): number | undefined {
  const grouped = text[from + 4] === " ";
  let at = from;
  for (let count = 0; count < length; count++, at++) {
    if (grouped && count > 0 && count % 4 === 0 && text[at] === " ") at++;
    if (!/[A-Za-z0-9]/.test(text[at] ?? "")) return undefined;
  }
  return /[A-Za-z0-9]/.test(text[at] ?? "") ? undefined : at;
}

/** The check of ISO 7064, mod 97-10. */
function isIban(iban: string): boolean {
  const turned = iban.slice(4) + iban.slice(0, 4);
  let rest = 0;
  for (const letter of turned) {
    const value = Number.parseInt(letter, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}
