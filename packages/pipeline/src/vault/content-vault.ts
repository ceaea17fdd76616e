import { createHash } from "node:crypto";
import {
  CONTENT_FIELDS,
  type Content,
  type ContentVault,
  type RawContent,
  SpanloomError,
  type VaultAddress,
  type VaultReader,
} from "@spanloom/model";
import type { VaultBlobs } from "./blobs.ts";
import { checkKeys, open, seal, type VaultKeys } from "./envelope.ts";

/** A read of raw content, told before anything of it is given. */
export interface VaultRead extends VaultAddress, VaultReader {
  /** RFC 3339. */
  time: string;
}

export interface ContentVaultOptions {
  blobs: VaultBlobs;
  /** AES-256 keys by id. To rotate, add a key and make it the current one; drop an old one once nothing needs it. */
  keys: VaultKeys;
  /** Puts each read on record. It is awaited first: where it throws or rejects, no content is given. */
  onRead: (read: VaultRead) => void | Promise<void>;
}

/**
 * Raw content encrypted with the host's keys, one blob for each field of a span. Every blob is bound to its scope,
 * execution, span and field. Throws `invalid_argument` for keys that cannot be used.
 */
export function createContentVault({ blobs, keys, onRead }: ContentVaultOptions): ContentVault {
  checkKeys(keys);
  if (typeof onRead !== "function")
    throw new SpanloomError("invalid_argument", {
      what: "The vault has no `onRead`.",
      why: "Every read of raw content is put on record.",
      fix: "Give a function that writes it to the host's audit log.",
    });
  const deleted = async (scope: string, executionId: string): Promise<boolean> =>
    (await blobs.get(deletedKey(scope, executionId))) !== undefined;

  return {
    put: (address, content) =>
      guarded("Raw content could not be kept.", async () => {
        const { scope, executionId } = address;
        if (await deleted(scope, executionId)) return;
        for (const field of CONTENT_FIELDS) {
          if (content[field] === undefined) continue;
          const blob = await seal(JSON.stringify(content[field]), boundTo(address, field), keys);
          await blobs.put(blobKey(address, field), blob);
        }
        // Somebody may have deleted the execution meanwhile.
        if (await deleted(scope, executionId))
          await blobs.deleteUnder(`${executionKey(scope, executionId)}/`);
      }),
    async get(address, reader) {
      await guarded("The read could not be put on record, so no raw content is given.", async () =>
        onRead({ time: new Date().toISOString(), ...address, ...reader }),
      );
      return guarded("Raw content could not be read.", async () => {
        const found: RawContent = {};
        for (const field of CONTENT_FIELDS) {
          const blob = await blobs.get(blobKey(address, field));
          if (blob === undefined) continue;
          found[field] = JSON.parse(await open(blob, boundTo(address, field), keys)) as Content;
        }
        return Object.keys(found).length === 0 ? undefined : found;
      });
    },
    deleteExecution: (scope, executionId) =>
      guarded("Raw content could not be deleted.", async () => {
        // First, so that nothing is kept from now on.
        await blobs.put(deletedKey(scope, executionId), new Uint8Array());
        await blobs.deleteUnder(`${executionKey(scope, executionId)}/`);
      }),
  };
}

function boundTo({ scope, executionId, traceId, spanId }: VaultAddress, field: string): string[] {
  return [scope, executionId, traceId, spanId, field];
}

function blobKey({ scope, executionId, traceId, spanId }: VaultAddress, field: string): string {
  return `${executionKey(scope, executionId)}/${digest([traceId, spanId])}-${field}`;
}

/** Ids of hosts may be any text, and no path may tell them. */
function executionKey(scope: string, executionId: string): string {
  return `${digest([scope])}/${digest([executionId])}`;
}

/** Stands beside the execution's blobs, not among them. */
function deletedKey(scope: string, executionId: string): string {
  return `${executionKey(scope, executionId)}-deleted`;
}

function digest(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 40);
}

/** What blobs and hooks throw is not passed on: nobody can tell what it quotes. */
async function guarded<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SpanloomError && error.code === "vault_failed") throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    throw new SpanloomError("vault_failed", {
      what,
      ...(/^E[A-Z0-9_]{2,40}$/.test(code) && { why: `The system said ${code}.` }),
    });
  }
}
