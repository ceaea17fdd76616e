import { SpanloomError } from "./errors.ts";
import type { JsonValue } from "./json.ts";

/** One page of a longer list. */
export interface Page<T> {
  items: T[];
  /** Give it back to get the next page; absent on the last one. Opaque. */
  nextCursor?: string;
}

/** Packs a store's position into an opaque, URL-safe cursor. */
export function encodeCursor(position: JsonValue): string {
  const bytes = new TextEncoder().encode(JSON.stringify(position));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/** Unpacks a cursor. Throws `invalid_cursor`; whoever calls it checks the shape of what comes out. */
export function decodeCursor(cursor: string): JsonValue {
  try {
    const binary = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0))));
  } catch {
    throw invalidCursor();
  }
}

export function invalidCursor(): SpanloomError {
  return new SpanloomError("invalid_cursor", {
    what: "The page cursor cannot be read.",
    why: "It was changed, cut, or made by another query or store.",
    fix: "Ask for the first page again, without a cursor.",
  });
}
