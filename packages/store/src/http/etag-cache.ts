/** Answers by URL, for as long as they are among the latest. Kept as text: every caller gets an answer of its own. */
export interface EtagCache {
  get(url: string): { etag: string; text: string } | undefined;
  set(url: string, etag: string | null, text: string): void;
}

const MOST_ENTRIES = 50;
const MOST_CHARACTERS = 8_000_000;

export function createEtagCache(): EtagCache {
  const entries = new Map<string, { etag: string; text: string }>();
  let characters = 0;

  const drop = (url: string): void => {
    characters -= entries.get(url)?.text.length ?? 0;
    entries.delete(url);
  };

  return {
    get(url) {
      const entry = entries.get(url);
      if (entry !== undefined) {
        entries.delete(url);
        entries.set(url, entry);
      }
      return entry;
    },
    set(url, etag, text) {
      drop(url);
      if (etag === null || text.length > MOST_CHARACTERS / 2) return;
      entries.set(url, { etag, text });
      characters += text.length;
      for (const oldest of entries.keys()) {
        if (entries.size <= MOST_ENTRIES && characters <= MOST_CHARACTERS) break;
        drop(oldest);
      }
    },
  };
}
