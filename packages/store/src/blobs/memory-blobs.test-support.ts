import type { BlobStore } from "@spanloom/model";

/** Blobs in this process, whose times and contents a test can see and change. */
export interface MemoryBlobs extends BlobStore {
  readonly held: Map<string, { bytes: Uint8Array; putAtMs: number }>;
  /** Makes everything that is held as old as a sweep needs it. */
  grow(days: number): void;
}

const KEY = /^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/;

export function createMemoryBlobs(): MemoryBlobs {
  const held: MemoryBlobs["held"] = new Map();
  return {
    held,
    async put(key, bytes) {
      if (!KEY.test(key) || key.length > 400) throw new Error(`no key: ${key}`);
      held.set(key, { bytes: bytes.slice(), putAtMs: Date.now() });
    },
    get: async (key) => held.get(key)?.bytes.slice(),
    async deleteUnder(prefix) {
      for (const key of held.keys()) if (key.startsWith(prefix)) held.delete(key);
    },
    async delete(key) {
      held.delete(key);
    },
    async *list(prefix) {
      for (const [key, { putAtMs }] of [...held]) if (key.startsWith(prefix)) yield { key, putAtMs };
    },
    grow(days) {
      for (const blob of held.values()) blob.putAtMs -= days * 86_400_000;
    },
  };
}
