/** Ends a stretch of a text that may be percent-encoded as a whole. */
const BREAK = /[\s"'<>`]/;
const ESCAPES = /(?:%[0-9A-Fa-f]{2})+/g;

/**
 * The text with its percent-encoded stretches, such as a URL inside another one's query, read as what they say. A stretch
 * in which `clean` finds something is given decoded, without it; the others stay as they are. Each is read once.
 */
export function scanEncoded(text: string, clean: (decoded: string) => string): string {
  let out = "";
  let copied = 0;
  let read = 0;
  for (let at = text.indexOf("%"); at !== -1; at = text.indexOf("%", read)) {
    let start = at;
    while (start > read && !BREAK.test(text[start - 1] as string)) start--;
    let end = at;
    while (end < text.length && !BREAK.test(text[end] as string)) end++;
    read = end;
    const stretch = text.slice(start, end);
    const decoded = stretch.replace(ESCAPES, decode);
    if (decoded === stretch) continue;
    const cleaned = clean(decoded);
    if (cleaned === decoded) continue;
    out += text.slice(copied, start) + cleaned;
    copied = end;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

function decode(escapes: string): string {
  return Buffer.from(escapes.replaceAll("%", ""), "hex").toString();
}
