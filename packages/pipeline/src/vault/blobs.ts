/** Where encrypted blobs stand. Keys are paths of hex digits, letters and points: `a/b/c`. */
export interface VaultBlobs {
  /** Resolves when the blob is durable; one that stands there is replaced. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  /** Removes the blob, and every blob below `key/`. */
  delete(key: string): Promise<void>;
}

/** Blobs that end with the process. */
export function createMemoryBlobs(): VaultBlobs {
  const blobs = new Map<string, Uint8Array>();
  return {
    put: async (key, bytes) => void blobs.set(key, Uint8Array.from(bytes)),
    get: async (key) => blobs.get(key),
    async delete(key) {
      for (const one of blobs.keys()) if (one === key || one.startsWith(`${key}/`)) blobs.delete(one);
    },
  };
}
