/** How much JSON one page of spans or changes may hold, in characters; a single larger span makes a page alone. */
export const MAX_PAGE_LENGTH = 8_000_000;

/** Tells for one span after the other, by the length of its JSON, whether it still fits its page. The first always does. */
export function createPageRoom(): (length: number) => boolean {
  let used = 0;
  return (length) => {
    if (used > 0 && used + length > MAX_PAGE_LENGTH) return false;
    used += length;
    return true;
  };
}
