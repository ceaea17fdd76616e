/** Parameters of a query travel in its URL: there is room for some thousands. */
export function* chunks<T>(items: readonly T[], size: number): Iterable<T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
