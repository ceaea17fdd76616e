import { parseSync, Visitor } from "oxc-parser";

/**
 * Sources name their neighbours as `./x.ts`; what is published names them `./x.js`. Covers imports,
 * re-exports, `import()`, import types in declarations, and `new URL("./worker.ts", import.meta.url)`.
 */
export function emittedSpecifiers(file: string, code: string): string {
  const { program, errors } = parseSync(file, code, { sourceType: "module" });
  const failure = errors[0];
  if (failure) throw new Error(`${file} does not parse: ${failure.message}`);
  const ends: { start: number; end: number }[] = [];
  const see = (
    node: { type: string; value?: unknown; start: number; end: number } | null | undefined,
  ): void => {
    if (node?.type !== "Literal" || typeof node.value !== "string") return;
    const extension = /^\.\.?\/.*(\.tsx?)$/.exec(node.value)?.[1];
    // The quote closes the literal, so the extension ends one character before it.
    if (extension) ends.push({ start: node.end - 1 - extension.length, end: node.end - 1 });
  };
  new Visitor({
    ImportDeclaration: (node) => see(node.source),
    ExportNamedDeclaration: (node) => see(node.source),
    ExportAllDeclaration: (node) => see(node.source),
    ImportExpression: (node) => see(node.source),
    TSImportType: (node) => see(node.source),
    NewExpression: (node) => {
      if (node.callee.type === "Identifier" && node.callee.name === "URL") see(node.arguments[0]);
    },
  }).visit(program);
  let result = code;
  for (const { start, end } of ends.sort((a, b) => b.start - a.start)) {
    result = `${result.slice(0, start)}.js${result.slice(end)}`;
  }
  return result;
}
