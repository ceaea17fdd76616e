import { type Content, recordProblem, type SpanRecord } from "@spanloom/model";
import { sizeOf } from "../observe/size-of.ts";
import { sha256 } from "../sha256.ts";
import type { ScopeBlobs } from "./scope-blobs.ts";

const FIELDS = ["input", "output", "stateBefore", "stateAfter"] as const;
const VALUES = ["text", "json", "messages"] as const;

const encoder = new TextEncoder();

/** A record without its large values, and their JSON. Nothing of it is shared with what was given. */
export interface TakenApart {
  record: SpanRecord;
  bodies: [field: (typeof FIELDS)[number], json: string][];
}

/** `undefined` where nothing in it is that large, or it is no record. */
export function takeApart(given: unknown, over: number): TakenApart | undefined {
  try {
    const large = FIELDS.filter((field) => isLarge((given as Partial<SpanRecord> | null)?.[field], over));
    if (large.length === 0 || recordProblem(given) !== undefined) return undefined;
    const record: SpanRecord = { ...(given as SpanRecord) };
    const bodies: TakenApart["bodies"] = [];
    for (const field of large) {
      const content = record[field];
      if (content === undefined) continue;
      bodies.push([field, JSON.stringify(valuesOf(content))]);
      record[field] = aboutOf(content);
    }
    return { record: structuredClone(record), bodies };
  } catch {
    // It cannot even be read: the store says what is wrong with it.
    return undefined;
  }
}

/** The record as it is stored: its large values are blobs when this resolves, and stand as references. */
export async function putBodies({ record, bodies }: TakenApart, blobs: ScopeBlobs): Promise<SpanRecord> {
  for (const [field, body] of bodies) {
    const bytes = encoder.encode(body);
    const hash = await sha256(bytes);
    await blobs.put(record, hash, bytes);
    record[field] = { ...(record[field] as Content), ref: { sha256: hash, length: body.length } };
  }
  return record;
}

/** The record as readers see it: values stand where they stood, or their content says that they are missing. */
export async function getLarge(stored: SpanRecord, blobs: ScopeBlobs): Promise<SpanRecord> {
  const record: SpanRecord = { ...stored };
  for (const field of FIELDS) {
    const content = stored[field];
    if (content?.ref === undefined) continue;
    const { ref, ...about } = content;
    const bytes = await blobs.get(stored, ref.sha256);
    const whole = bytes !== undefined && (await sha256(new Uint8Array(bytes))) === ref.sha256;
    record[field] = whole
      ? ({ ...about, ...(JSON.parse(new TextDecoder().decode(bytes)) as object) } as Content)
      : { ...content, state: "missing", reason: bytes === undefined ? GONE : DAMAGED };
  }
  return record;
}

const GONE = "It was kept outside the store and is not there any more.";
const DAMAGED = "It was kept outside the store and is damaged there.";

/** Hashes of the blobs that a stored record refers to. */
export function refsOf(stored: SpanRecord): string[] {
  return FIELDS.flatMap((field) => stored[field]?.ref?.sha256 ?? []);
}

/** How much longer the record's JSON is for readers than as it is stored. */
export function lengthOutside(stored: SpanRecord): number {
  return FIELDS.reduce((sum, field) => sum + (stored[field]?.ref?.length ?? 0), 0);
}

/** A reference that came with a value is none of ours: the value itself goes out of the record and takes its place. */
function isLarge(content: unknown, over: number): boolean {
  if (typeof content !== "object" || content === null) return false;
  const values = valuesOf(content);
  return Object.keys(values).length > 0 && ("ref" in content || sizeOf(values) > over);
}

function valuesOf(content: object): Record<string, unknown> {
  const entries = VALUES.map((key): [string, unknown] => [key, (content as Record<string, unknown>)[key]]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function aboutOf(content: Content): Content {
  const about = Object.entries(content).filter(([key]) => !VALUES.some((value) => value === key));
  return Object.fromEntries(about) as unknown as Content;
}
