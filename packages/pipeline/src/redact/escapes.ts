/** An escape ends in a letter or digit but is no part of a word: `\n`, `%20`, `\u0026`. */
const ESCAPE = /(?:\\[nrtbf]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4})$/;

/** True where the characters just before `at` are an escape, so that what stands at `at` begins a word. */
export function endsInEscape(text: string, at: number): boolean {
  return ESCAPE.test(text.slice(Math.max(0, at - 6), at));
}
