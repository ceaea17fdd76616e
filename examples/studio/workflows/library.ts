import { type DocumentInfo, listDocuments, readDocument, type SourceDocument } from "./documents.ts";

/** What a cache answered, and whether it had to ask for it. */
export interface Cached<T> {
  value: T;
  hit: boolean;
}

/** A document server that remembers what it read: the first run of a process misses, later ones hit. */
export interface Library {
  tree(): Promise<Cached<DocumentInfo[]>>;
  blob(id: string): Promise<Cached<SourceDocument>>;
}

export function createLibrary(): Library {
  let tree: DocumentInfo[] | undefined;
  const blobs = new Map<string, SourceDocument>();
  return {
    async tree() {
      if (tree) return { value: tree, hit: true };
      tree = await listDocuments("handbook");
      return { value: tree, hit: false };
    },
    async blob(id) {
      const known = blobs.get(id);
      if (known) return { value: known, hit: true };
      const document = await readDocument(id);
      blobs.set(id, document);
      return { value: document, hit: false };
    },
  };
}
