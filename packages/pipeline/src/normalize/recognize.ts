import type { SpanRecord } from "@spanloom/model";
import type { Dialect } from "./dialect.ts";

/** As many dialects as a number has bits for. */
export const MAX_RECOGNIZED = 31;

interface Entry {
  prefix: string;
  bit: number;
}

/**
 * Which of the dialects a record speaks, by their prefixes: bit `i` stands for the i-th. One pass over the keys, which
 * for most of them ends at the first letter.
 */
export function createRecognizer(dialects: readonly Dialect[]): (record: SpanRecord) => number {
  const byLetter: (Entry[] | undefined)[] = [];
  dialects.forEach(({ prefixes = [] }, index) => {
    for (const prefix of prefixes) {
      const letter = prefix.charCodeAt(0);
      byLetter[letter] = [...(byLetter[letter] ?? []), { prefix, bit: 1 << index }];
    }
  });
  for (let letter = 0; letter < 128; letter++) byLetter[letter] ??= undefined;

  const recognizeName = (name: string): number => {
    const entries = byLetter[name.charCodeAt(0)];
    if (entries === undefined) return 0;
    let found = 0;
    for (const { prefix, bit } of entries) if (name.startsWith(prefix)) found |= bit;
    return found;
  };
  return ({ attributes, events }) => {
    let found = 0;
    for (const key in attributes) found |= recognizeName(key);
    for (const event of events) found |= recognizeName(event.name);
    return found;
  };
}
