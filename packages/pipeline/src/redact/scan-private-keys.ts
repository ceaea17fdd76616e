import type { Tally } from "./tally.ts";

const BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/y;
/** What an armoured body is made of, headers and escaped line ends among it. */
const BODY = /[A-Za-z0-9+/=\s\\:,.]*/y;
const DASH = /-(?!----)/y;
/** A shorter body is a text about keys. */
const MIN_BODY = 16;

/** The text with armoured private keys replaced, also those whose end was cut off. From each head to the next dashes: linear. */
export function scanPrivateKeys(text: string, tally: Tally): string {
  if (!text.includes("PRIVATE KEY")) return text;
  let out = "";
  let copied = 0;
  BEGIN.lastIndex = 0;
  for (let head = BEGIN.exec(text); head !== null; head = BEGIN.exec(text)) {
    const from = BEGIN.lastIndex;
    const body = bodyEnd(text, from);
    END.lastIndex = body;
    const closed = END.test(text);
    if (!closed && body - from < MIN_BODY) continue;
    const to = closed ? END.lastIndex : body;
    out += text.slice(copied, head.index) + tally.replace("private-key", text.slice(head.index, to));
    copied = to;
    BEGIN.lastIndex = to;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

function bodyEnd(text: string, from: number): number {
  let at = from;
  for (;;) {
    BODY.lastIndex = at;
    BODY.test(text);
    DASH.lastIndex = BODY.lastIndex;
    if (!DASH.test(text)) return BODY.lastIndex;
    at = DASH.lastIndex;
  }
}
