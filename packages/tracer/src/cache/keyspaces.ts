/** Finds the family that a key belongs to: the longest pattern that matches it. `*` stands for any characters. */
export function createKeyspaces(patterns: readonly string[]): (key: string) => string | undefined {
  const longestFirst = [...new Set(patterns)].sort((a, b) => b.length - a.length);
  return (key) => longestFirst.find((pattern) => matches(pattern, key));
}

/** Goes back to the last `*` only, so that no key takes longer than its length times the pattern's. */
function matches(pattern: string, key: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let index = 0; index < key.length; ) {
    if (pattern[at] === "*") {
      star = at++;
      resume = index;
    } else if (at < pattern.length && pattern[at] === key[index]) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++resume;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
