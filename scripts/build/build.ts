// Builds the packages: `node scripts/build/build.ts [name ...]`, all of them by default.
import { spawnSync } from "node:child_process";
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "tsup";
import { type PackageName, packageDirectory, packageNames, root } from "../workspace.ts";
import { emittedSpecifiers } from "./emitted-specifiers.ts";
import { tsupOptions } from "./tsup.config.ts";

const started = performance.now();
const names = chosenPackages(process.argv.slice(2));
for (const name of names) rmSync(join(packageDirectory(name), "dist"), { recursive: true, force: true });
await Promise.all(names.map((name) => build(tsupOptions(name))));
for (const name of names) copyStyles(name);
emitDeclarations(names);
console.log(`Built ${names.join(", ")} in ${((performance.now() - started) / 1000).toFixed(1)} s`);

function chosenPackages(asked: string[]): readonly PackageName[] {
  if (asked.length === 0) return packageNames;
  const unknown = asked.filter((name) => !packageNames.some((known) => known === name));
  if (unknown.length > 0) {
    console.error(`No package is called ${unknown.join(", ")}. There are: ${packageNames.join(", ")}.`);
    process.exit(1);
  }
  return packageNames.filter((name) => asked.includes(name));
}

/** Each with a declaration beside it: compilers that check imports for their effects, too, ask for one. */
function copyStyles(name: PackageName): void {
  const source = join(packageDirectory(name), "src");
  for (const file of globSync("**/*.css", { cwd: source })) {
    const copy = join(packageDirectory(name), "dist", file);
    cpSync(join(source, file), copy, { recursive: true });
    writeFileSync(`${copy}.d.ts`, "export {};\n");
  }
}

/** The compiler builds what a package refers to as well, in the right order. */
function emitDeclarations(packages: readonly PackageName[]): void {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const result = spawnSync(process.execPath, [compiler, "-b", ...packages.map(packageDirectory)], {
    stdio: "inherit",
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
  for (const name of packageNames) {
    const dist = join(packageDirectory(name), "dist");
    for (const file of globSync("**/*.d.ts", { cwd: dist })) {
      const path = join(dist, file);
      const text = readFileSync(path, "utf8");
      const rewritten = emittedSpecifiers(path, text);
      if (rewritten !== text) writeFileSync(path, rewritten);
    }
  }
}
