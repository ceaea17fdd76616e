import type { BlobStore } from "@spanloom/model";

/** Where encrypted blobs stand: what the vault needs of a `BlobStore`, in memory, in a folder or at the host's. */
export type VaultBlobs = Pick<BlobStore, "put" | "get" | "deleteUnder">;

/** Blobs that end with the process. */
export function createMemoryBlobs(): VaultBlobs {
  const blobs = new Map<string, Uint8Array>();
  return {
    put: async (key, bytes) => void blobs.set(key, Uint8Array.from(bytes)),
    get: async (key) => blobs.get(key),
    async deleteUnder(prefix) {
      for (const key of blobs.keys()) if (key.startsWith(prefix)) blobs.delete(key);
    },
  };
}
