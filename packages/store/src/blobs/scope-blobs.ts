import type { BlobStore, SpanRecord } from "@spanloom/model";
import { sha256 } from "../sha256.ts";

type SpanIds = Pick<SpanRecord, "traceId" | "spanId">;

/** The folder of all scopes' names: no scope's own folder is called so. */
const NAMES = "scopes/";
/** Names that no file system confuses: without capitals, and short. */
const PLAIN_NAME = /^[a-z0-9_-]{1,60}$/;

const encoder = new TextEncoder();

/**
 * The blobs of one scope: `<scope>/<trace id>/<span id>/<sha256>`. A span has blobs of its own, also where another holds the
 * same, so that what is deleted needs no counting of who else refers to it.
 */
export class ScopeBlobs {
  private readonly blobs: BlobStore;
  private readonly scope: string;
  private readonly folder: Promise<string>;
  private named: Promise<void> | undefined;

  constructor(blobs: BlobStore, scope: string) {
    this.blobs = blobs;
    this.scope = scope;
    this.folder = PLAIN_NAME.test(scope)
      ? Promise.resolve(`t-${scope}`)
      : sha256(encoder.encode(scope)).then((hash) => `h-${hash}`);
  }

  /** Before the first blob of a scope its name is kept, so that retention finds the scope again. */
  async put(span: SpanIds, hash: string, bytes: Uint8Array): Promise<void> {
    this.named ??= this.putName();
    try {
      await this.named;
    } catch (error) {
      this.named = undefined;
      throw error;
    }
    await this.blobs.put(`${await this.spanFolder(span)}${hash}`, bytes);
  }

  async get(span: SpanIds, hash: string): Promise<Uint8Array | undefined> {
    return this.blobs.get(`${await this.spanFolder(span)}${hash}`);
  }

  async delete(key: string): Promise<void> {
    return this.blobs.delete(key);
  }

  async deleteSpan(span: SpanIds): Promise<void> {
    return this.blobs.deleteUnder(await this.spanFolder(span));
  }

  async deleteTrace(traceId: string): Promise<void> {
    return this.blobs.deleteUnder(`${await this.folder}/${traceId}/`);
  }

  /** Blobs of one trace, or of all. */
  async *list(traceId?: string): AsyncGenerator<FoundBlob, void, undefined> {
    const folder = `${await this.folder}/`;
    for await (const { key, putAtMs } of this.blobs.list(
      traceId === undefined ? folder : `${folder}${traceId}/`,
    )) {
      const [, trace = "", spanId = "", hash = ""] = key.split("/");
      yield { key, traceId: trace, spanId, hash, putAtMs };
    }
  }

  async hasAny(traceIds: readonly string[]): Promise<boolean> {
    for (const traceId of traceIds) {
      for await (const _ of this.list(traceId)) return true;
    }
    return false;
  }

  private async putName(): Promise<void> {
    await this.blobs.put(`${NAMES}${await this.folder}`, encoder.encode(this.scope));
  }

  private async spanFolder({ traceId, spanId }: SpanIds): Promise<string> {
    return `${await this.folder}/${traceId}/${spanId}/`;
  }
}

export interface FoundBlob extends SpanIds {
  key: string;
  hash: string;
  putAtMs: number;
}

/** Every scope that ever had a blob. */
export async function scopesWithBlobs(blobs: BlobStore): Promise<string[]> {
  const scopes: string[] = [];
  for await (const { key } of blobs.list(NAMES)) {
    const name = await blobs.get(key);
    if (name !== undefined) scopes.push(new TextDecoder().decode(name));
  }
  return scopes;
}
