// Node only: raw content, encrypted, apart from the store
export { createMemoryBlobs, type VaultBlobs } from "./blobs.ts";
export { type ContentVaultOptions, createContentVault, type VaultRead } from "./content-vault.ts";
export type { VaultKeys } from "./envelope.ts";
