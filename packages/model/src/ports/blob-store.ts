/**
 * Where large payloads are kept outside the store: a folder, or a host's object store. Keys are made by Spanloom:
 * segments of letters, digits, `-` and `_`, joined by `/`, at most 400 characters; the first names the scope.
 */
export interface BlobStore {
  /** Resolves when the bytes are durable. Writing a key again with the same bytes changes no more than `putAtMs`. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  /** Removes every key that begins with the prefix, which ends with `/`. */
  deleteUnder(prefix: string): Promise<void>;
  /** Removes one key, also where it is not there. */
  delete(key: string): Promise<void>;
  /** The keys that begin with the prefix, which ends with `/`, in any order, and when they were last put. */
  list(prefix: string): AsyncIterable<{ key: string; putAtMs: number }>;
}
