import { describe, expect, it } from "vitest";
import { isSpanloomError, SpanloomError } from "./errors.ts";

describe("SpanloomError", () => {
  it("says what happened, why, and how to mend it", () => {
    const cause = new Error("disk full");
    const error = new SpanloomError("store_full", {
      what: "The span was not stored.",
      why: "The disk is full.",
      fix: "Free some space.",
      cause,
    });
    expect(error.message).toBe("The span was not stored. The disk is full. Free some space.");
    expect(error).toMatchObject({
      name: "SpanloomError",
      code: "store_full",
      fix: "Free some space.",
      cause,
    });
    expect(String(error)).toMatch(/^SpanloomError: The span/);
    expect(error.stack).toContain("errors.test.ts");
  });

  it("has no cause where none was given", () => {
    expect(Object.hasOwn(new SpanloomError("not_found", { what: "No such span." }), "cause")).toBe(false);
  });

  it("is recognised across copies of the package, and nothing else is", () => {
    const foreign = Object.assign(new Error("x"), { name: "SpanloomError", code: "not_found", what: "x" });
    expect(isSpanloomError(foreign)).toBe(true);
    expect(isSpanloomError(new SpanloomError("timed_out", { what: "x" }))).toBe(true);
    expect(isSpanloomError(new TypeError("x"))).toBe(false);
    expect(isSpanloomError({ name: "SpanloomError", code: "x", what: "y" })).toBe(false);
    expect(isSpanloomError(undefined)).toBe(false);
  });
});
