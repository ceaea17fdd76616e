import { globSync } from "node:fs";
import { join } from "node:path";
import type { Options } from "tsup";
import { type PackageName, packageDirectory } from "../workspace.ts";
import { emittedSpecifiers } from "./emitted-specifiers.ts";

/**
 * The one place that knows the bundler; see docs/decisions/0001-bundler.md.
 * One output file for each source file, so that a host's bundler drops what it does not use
 * and a worker entry is an ordinary file.
 */
export function tsupOptions(name: PackageName): Options {
  const directory = packageDirectory(name);
  return {
    config: false,
    entry: entries(join(directory, "src")),
    outDir: join(directory, "dist"),
    tsconfig: join(directory, "tsconfig.json"),
    format: "esm",
    target: "es2023",
    platform: "neutral",
    bundle: false,
    splitting: false,
    clean: false,
    dts: false,
    sourcemap: true,
    silent: true,
    // `node:sqlite` and its like exist only under their full name.
    removeNodeProtocol: false,
    banner: name.startsWith("react-") ? { js: '"use client";' } : {},
    plugins: [
      {
        name: "emitted-specifiers",
        renderChunk: (code, chunk) => ({ code: emittedSpecifiers(chunk.path, code) }),
      },
    ],
  };
}

function entries(source: string): Record<string, string> {
  const files = globSync("**/*.{ts,tsx}", { cwd: source }).filter(
    (file) => !/\.(test|test-d|full\.test|test-support)\.tsx?$|\.d\.ts$/.test(file),
  );
  return Object.fromEntries(files.map((file) => [file.replace(/\.tsx?$/, ""), join(source, file)]));
}
