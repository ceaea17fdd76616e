import { expect, test } from "vitest";
import { createKeyspaces } from "./keyspaces.ts";

const keyspaceOf = createKeyspaces(["amtp:*", "amtp:mcp:tree:*", "*:blob:*", "exact", "a*b*c"]);

test.each([
  ["amtp:mcp:tree:main", "amtp:mcp:tree:*"],
  ["amtp:mcp:tree:", "amtp:mcp:tree:*"],
  ["amtp:mcp:tree", "amtp:*"],
  ["amtp:mcp:blob:1", "*:blob:*"],
  ["exact", "exact"],
  ["exactly", undefined],
  ["aXbYc", "a*b*c"],
  ["abbcbc", "a*b*c"],
  ["abcd", undefined],
  ["", undefined],
])("%s belongs to %s", (key, keyspace) => {
  expect(keyspaceOf(key)).toBe(keyspace);
});

test("no key takes forever", () => {
  const hostile = createKeyspaces(["*a*a*a*a*a*a*a*a*a*a*b"]);
  expect(hostile("a".repeat(100_000))).toBeUndefined();
});
