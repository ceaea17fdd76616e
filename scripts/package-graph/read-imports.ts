import { readFileSync } from "node:fs";
import { parseSync, Visitor } from "oxc-parser";

export interface SourceImport {
  specifier: string;
  line: number;
  /** `import type` and `export type`: gone after compiling. */
  typeOnly: boolean;
}

/** Every import of a source file: static, re-exported, dynamic and inside types. */
export function readImports(file: string): SourceImport[] {
  const code = readFileSync(file, "utf8");
  const { program, errors } = parseSync(file, code, { sourceType: "module" });
  const failure = errors[0];
  if (failure) throw new Error(`${file} does not parse: ${failure.message}`);
  const found: SourceImport[] = [];
  const add = (
    node: { type: string; value?: unknown; start: number } | null | undefined,
    typeOnly: boolean,
  ): void => {
    if (node?.type !== "Literal" || typeof node.value !== "string") return;
    found.push({ specifier: node.value, line: code.slice(0, node.start).split("\n").length, typeOnly });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source, node.importKind === "type"),
    ExportNamedDeclaration: (node) => add(node.source, node.exportKind === "type"),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind === "type"),
    ImportExpression: (node) => add(node.source, false),
    TSImportType: (node) => add(node.source, true),
  }).visit(program);
  return found;
}
