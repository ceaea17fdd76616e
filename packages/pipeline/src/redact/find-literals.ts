/**
 * Looks for a pattern that begins with one of a few literals. Nearly everywhere in a text none of them can begin, which
 * one table tells from three characters; only elsewhere is the pattern tried. Finds what the pattern alone would find.
 */
export class LiteralSearch {
  /** Where the last match ended. */
  end = 0;
  readonly #sticky: RegExp;
  readonly #global: RegExp;
  /** Undefined where a literal is too short to be told. */
  readonly #begins: Uint8Array | undefined;

  /** `begins`: what every match of `source` begins with, the first three characters of it at least; case does not matter. */
  constructor(source: string, flags: "" | "i", begins: readonly string[]) {
    this.#sticky = new RegExp(source, `${flags}y`);
    this.#global = new RegExp(source, `${flags}g`);
    if (begins.some(({ length }) => length < 3)) return;
    this.#begins = new Uint8Array(32_768);
    for (const [one = "", two = "", three = ""] of begins)
      this.#begins[(classOf(one) << 10) | (classOf(two) << 5) | classOf(three)] = 1;
  }

  /** The first match that begins at `from` or behind it, or null. */
  next(text: string, from: number): RegExpExecArray | null {
    if (this.#begins === undefined) return this.#run(this.#global, text, from);
    const begins = this.#begins;
    let three = 0;
    for (let at = from; at < text.length; at++) {
      three = ((three << 5) | (text.charCodeAt(at) & 31)) & 32_767;
      if (begins[three] === 0 || at < from + 2) continue;
      const match = this.#run(this.#sticky, text, at - 2);
      if (match !== null) return match;
    }
    return null;
  }

  #run(pattern: RegExp, text: string, from: number): RegExpExecArray | null {
    pattern.lastIndex = from;
    const match = pattern.exec(text);
    this.end = pattern.lastIndex;
    return match;
  }
}

/** The lower five bits tell letters apart, whatever their case; what else has the same ones is found in vain. */
export function classOf(letter: string): number {
  return letter.charCodeAt(0) & 31;
}
