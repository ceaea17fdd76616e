import { expect, test } from "vitest";
import { keyText, textOfKey } from "./key-text.ts";

const PARTS = [
  "",
  "a",
  "b",
  "\u0000",
  "\u0001",
  "\u0002",
  "é",
  "\ud7ff",
  "\ue000",
  "\ufe0f",
  "\uffff",
  "😀",
  "\u{10fffe}",
  "\u{10ffff}",
];

function texts(): string[] {
  return PARTS.flatMap((a) => PARTS.flatMap((b) => PARTS.map((c) => a + b + c)));
}

test("a key holds no NUL and gives its text back", () => {
  for (const text of texts()) {
    expect(keyText(text)).not.toContain("\u0000");
    expect(textOfKey(keyText(text))).toBe(text);
  }
});

test("keys order by their bytes as texts order in JavaScript", () => {
  const sorted = [...new Set(texts())].sort();
  const bytes = sorted.map((text) => Buffer.from(keyText(text)));
  for (let index = 1; index < bytes.length; index++) {
    expect(Buffer.compare(bytes[index - 1] as Buffer, bytes[index] as Buffer)).toBe(-1);
  }
});

test("ordinary text is its own key", () => {
  for (const text of ["run-1", "Größe", "日本語", "👩‍🚀"]) expect(keyText(text)).toBe(text);
});
