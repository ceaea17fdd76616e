import type { Redaction } from "@spanloom/model";

/** How often each rule took something out. */
export type Counts = Map<string, number>;

/** Counts one, and gives the rule's name back. */
export function countOf(counts: Counts, rule: string): string {
  counts.set(rule, (counts.get(rule) ?? 0) + 1);
  return rule;
}

/** What stands in a secret's place. No rule matches it. */
export function replacement(rule: string): string {
  return `[redacted:${rule}]`;
}

/** True for a text that begins with a replacement: it is not redacted again. */
export function isReplaced(text: string): boolean {
  return text.startsWith("[redacted:");
}

/** What an earlier cleaning counted and what this one did, by rule. */
export function addCounts(known: readonly Redaction[] | undefined, counts: Counts): Redaction[] {
  const sums = new Map(known?.map(({ rule, count }) => [rule, count]));
  for (const [rule, count] of counts) sums.set(rule, (sums.get(rule) ?? 0) + count);
  return [...sums].map(([rule, count]) => ({ rule, count })).sort((a, b) => (a.rule < b.rule ? -1 : 1));
}
