const stopWords = new Set(
  (
    "a an and any are as at be been before but by can could did do does every for from had has have how i if in is it " +
    "its may me more must my no not of on one or our over say so than that the their them then there these they this " +
    "to under up us was we were what when where which who whom will with would you your"
  ).split(" "),
);

/** The words that carry meaning, lower case, roughly stemmed. */
export function contentWords(text: string): string[] {
  return (text.toLowerCase().match(/[a-z][a-z0-9-]+/g) ?? [])
    .filter((word) => !stopWords.has(word))
    .map((word) => word.replace(/(ies|es|s|ing|ed)$/, (end) => (end === "ies" ? "y" : "")));
}

export function sentences(text: string): string[] {
  return (text.replace(/\s+/g, " ").match(/[^.!?]+[.!?]+/g) ?? []).map((sentence) => sentence.trim());
}

/** How many of the wanted words a text has, each counted once, rarer words of the text no heavier than others. */
export function overlap(wanted: readonly string[], text: string): number {
  const found = new Set(contentWords(text));
  return new Set(wanted.filter((word) => found.has(word))).size;
}

/** The sentences that carry most of a text's frequent words, in the order of the text. */
export function keySentences(text: string, count: number): string[] {
  const frequency = new Map<string, number>();
  for (const word of contentWords(text)) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  return sentences(text)
    .map((sentence, index) => {
      const words = contentWords(sentence);
      const sum = words.reduce((total, word) => total + (frequency.get(word) ?? 0), 0);
      return { sentence, index, score: sum / Math.sqrt(words.length + 1) };
    })
    .sort((left, right) => right.score - left.score || left.index - right.index)
    .slice(0, count)
    .sort((left, right) => left.index - right.index)
    .map(({ sentence }) => sentence);
}
