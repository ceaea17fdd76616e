import { isAbsolute, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { build, minify } from "vite";

/** What a package brings to a host that imports its main entry. */
export interface OwnCode {
  /** Minified and gzipped: what is loaded at once. What is imported when it is asked for does not count. */
  bytes: number;
  /** What each file has in it, minified and not gzipped, the largest first. */
  files: { file: string; bytes: number }[];
}

/** Of the package alone, without anything that it imports from others; `withOurs`: with other packages of ours. */
export async function ownCode(packageName: string, withOurs = false): Promise<OwnCode> {
  const root = join(import.meta.dirname, "..", "packages", packageName);
  const result = await build({
    root,
    configFile: false,
    logLevel: "error",
    mode: "production",
    plugins: [react()],
    resolve: { conditions: ["@spanloom/source"] },
    build: {
      write: false,
      // Vite keeps the white space of a library: its hosts minify it, as is done below.
      minify: false,
      target: "es2023",
      lib: { entry: join(root, "src", "index.ts"), formats: ["es"], fileName: "index" },
      rolldownOptions: {
        external: (id) =>
          !id.startsWith(".") && !isAbsolute(id) && !(withOurs && id.startsWith("@spanloom/")),
        // As in an app, whose chunks may take from one another.
        preserveEntrySignatures: "allow-extension",
      },
    },
  });
  const chunks = [result]
    .flat()
    .flatMap((output) => ("output" in output ? output.output : []))
    .filter((part) => part.type === "chunk");
  const atOnce = new Set(chunks.filter(({ isEntry }) => isEntry));
  for (const { imports } of atOnce)
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) atOnce.add(chunk);

  let bytes = 0;
  const files: OwnCode["files"] = [];
  for (const { code, modules } of atOnce) {
    bytes += gzipSync(await minified(code)).byteLength;
    for (const [file, { code: part, renderedExports }] of Object.entries(modules)) {
      // As a part of the whole: without the exports nothing of it would be used.
      if (part)
        files.push({
          file: relative(root, file),
          bytes: (await minified(`${part}\nexport {${renderedExports.join()}};`)).length,
        });
    }
  }
  if (bytes === 0) throw new Error(`The package ${packageName} has no code.`);
  return { bytes, files: files.sort((a, b) => b.bytes - a.bytes) };
}

async function minified(code: string): Promise<string> {
  const { code: small, errors } = await minify("index.js", code, {
    module: true,
    compress: true,
    mangle: { toplevel: true },
    codegen: { removeWhitespace: true, legalComments: "none" },
  });
  const error = errors[0];
  if (error !== undefined) throw new Error(`A chunk could not be minified: ${error.message}`);
  return small;
}
