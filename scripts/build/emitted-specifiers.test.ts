import { expect, test } from "vitest";
import { emittedSpecifiers } from "./emitted-specifiers.ts";

test("every way to name a neighbour leads to the emitted file", () => {
  const source = [
    'import { a } from "./a.ts";',
    'export * from "../b.ts";',
    'export { C } from "./C.tsx";',
    'const d = () => import("./d.ts");',
    'const worker = new URL("./worker.ts", import.meta.url);',
  ].join("\n");
  expect(emittedSpecifiers("x.js", source).split("\n")).toEqual([
    'import { a } from "./a.js";',
    'export * from "../b.js";',
    'export { C } from "./C.js";',
    'const d = () => import("./d.js");',
    'const worker = new URL("./worker.js", import.meta.url);',
  ]);
});

test("an import type inside a declaration is one of them", () => {
  expect(emittedSpecifiers("x.d.ts", 'export declare const a: import("./a.ts").A;')).toBe(
    'export declare const a: import("./a.js").A;',
  );
});

test("packages, other files and plain text stay as they are", () => {
  const source =
    'import "pkg/x.ts";\nimport data from "./x.json" with { type: "json" };\nconst text = "./a.ts"; // ./b.ts';
  expect(emittedSpecifiers("x.js", source)).toBe(source);
});

test("letters outside ASCII before a specifier do not shift it", () => {
  expect(emittedSpecifiers("x.js", 'const dash = "–😀"; export * from "./a.ts";')).toBe(
    'const dash = "–😀"; export * from "./a.js";',
  );
});
