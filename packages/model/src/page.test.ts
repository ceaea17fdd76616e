import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCursor, encodeCursor } from "./page.ts";
import { json } from "./record-arbitraries.test-support.ts";

describe("cursors", () => {
  it("give any position back and are safe in a URL", () => {
    fc.assert(
      fc.property(json, (position) => {
        const cursor = encodeCursor(position);
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(JSON.stringify(decodeCursor(cursor))).toBe(JSON.stringify(position));
      }),
    );
  });

  it.each(["", "!", "a", "%%%", "YWJj", "eyJ", encodeCursor({ a: [1, 2] }).slice(0, -3)])(
    "refuse %j",
    (cursor) => {
      expect(() => decodeCursor(cursor)).toThrow(expect.objectContaining({ code: "invalid_cursor" }));
    },
  );
});
