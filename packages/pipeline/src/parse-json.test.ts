import { expect, test } from "vitest";
import { parseStructure } from "./parse-json.ts";

test.each([
  ['{"id":12345678901234567890}', { id: "12345678901234567890" }],
  ['{"id": -12345678901234567}', { id: "-12345678901234567" }],
  ["[\n  9007199254740993,\n  1\n]", ["9007199254740993", 1]],
  ['{"id":9007199254740991}', { id: 9007199254740991 }],
  [
    '{"id":"12345678901234567","share":0.1234567890123456}',
    { id: "12345678901234567", share: 0.1234567890123456 },
  ],
])("whole numbers that a double cannot hold stay as their digits: %s", (text, value) => {
  expect(parseStructure(text)).toEqual(value);
});

test.each(["plain", '"text"', "{broken", ""])("%j is no list or object", (text) => {
  expect(parseStructure(text)).toBeUndefined();
});
