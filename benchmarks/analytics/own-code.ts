import { isAbsolute, join } from "node:path";
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { build } from "vite";

/** The gzip size of what a package itself brings to a page: minified, without anything that it imports from others. */
export async function ownCodeBytes(packageName: string): Promise<number> {
  const root = join(import.meta.dirname, "..", "..", "packages", packageName);
  const result = await build({
    root,
    configFile: false,
    logLevel: "error",
    mode: "production",
    plugins: [react()],
    build: {
      write: false,
      minify: true,
      lib: { entry: join(root, "src", "index.ts"), formats: ["es"], fileName: "index" },
      rolldownOptions: { external: (id) => !id.startsWith(".") && !isAbsolute(id) },
    },
  });
  const chunks = [result].flat().flatMap((output) => ("output" in output ? output.output : []));
  const code = chunks.map((chunk) => (chunk.type === "chunk" ? chunk.code : "")).join("");
  if (code === "") throw new Error(`The package ${packageName} has no code.`);
  return gzipSync(code).byteLength;
}
