import { SpanloomError } from "../errors.ts";
import { isUnixNanos, type UnixNanos } from "../time.ts";

/** Readers of untrusted OTLP/JSON members. Absent and null are proto3's defaults; anything else of a wrong type throws `invalid_record`. */

export type JsonObject = Record<string, unknown>;

const MAX_UINT32 = 0xffff_ffff;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

export function readObject(value: unknown, what: string): JsonObject {
  if (value === undefined || value === null) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value as JsonObject;
  throw malformed(what, "must be an object");
}

export function readList(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw malformed(what, "must be a list");
}

export function readText(value: unknown, what: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  throw malformed(what, "must be text");
}

/** Text that proto3 cannot tell from absent when it is empty. */
export function readOptionalText(value: unknown, what: string): string | undefined {
  return readText(value, what) || undefined;
}

/** A uint32 that proto3 cannot tell from absent when it is 0. */
export function readOptionalUint32(value: unknown, what: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number > MAX_UINT32) {
    throw malformed(what, "must be a whole number from 0 to 4294967295");
  }
  return number || undefined;
}

/** An enum member, given as its number or its proto name. Unknown ones are the first. */
export function readEnum<T extends string>(value: unknown, prefix: string, members: readonly T[]): T {
  const name = typeof value === "string" ? value.replace(prefix, "").toLowerCase() : undefined;
  const index = name === undefined ? Number(value ?? 0) : members.indexOf(name as T);
  return members[index] ?? (members[0] as T);
}

/** Nanoseconds as OTLP gives them (a decimal string or a number); `0` where absent. */
export function readNanos(value: unknown, what: string): UnixNanos {
  const time = value === undefined || value === null ? "0" : int64Text(value);
  if (isUnixNanos(time)) return time;
  throw malformed(what, "must be Unix nanoseconds between 0 and the greatest int64");
}

/** Canonical decimal digits of an int64 given as a string or a number; `undefined` where it is none. */
export function int64Text(value: unknown): string | undefined {
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  const digits = typeof value === "string" && value.length <= 40 && /^-?\d+$/.test(value);
  if (!digits && !(typeof value === "number" && Number.isInteger(value))) return undefined;
  const int = BigInt(value as string | number);
  return int >= MIN_INT64 && int <= MAX_INT64 ? int.toString() : undefined;
}

export function malformed(what: string, why: string): SpanloomError {
  return new SpanloomError("invalid_record", { what: `${what} ${why}.` });
}
