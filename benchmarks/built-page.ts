import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import react from "@vitejs/plugin-react";
import { type Browser, chromium, type Page } from "playwright";
import { build, defaultClientConditions } from "vite";
import { findBrowser } from "../scripts/browser.ts";

/** A benchmark's page, built as a host would build it, served on loopback, and a Chromium to open it in. */
export interface BuiltPage {
  /** What was built, by path. */
  files: Map<string, Buffer>;
  /** Opens the page anew, waits until it has `loaded`, runs `measure` and closes it. */
  open<T>(query: string, measure: (page: Page) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** `name`: the folder beside this file that holds the page's `index.html`. */
export async function openBuiltPage(name: string): Promise<BuiltPage> {
  const directory = mkdtempSync(join(tmpdir(), `spanloom-${name}-`));
  const files = await buildPage(name, directory);
  const server = await serve(files);
  const { executablePath, args } = await findBrowser();
  const browser: Browser = await chromium.launch({ ...(executablePath && { executablePath }), args });
  return {
    files,
    async open(query, measure) {
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
      try {
        await page.goto(`http://127.0.0.1:${portOf(server)}/${query}`);
        await page.evaluate(() => window.loaded);
        return await measure(page);
      } finally {
        await page.close();
      }
    },
    async close() {
      await browser.close();
      server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Minified and in production mode. */
async function buildPage(name: string, directory: string): Promise<Map<string, Buffer>> {
  const result = await build({
    root: join(import.meta.dirname, name),
    configFile: false,
    logLevel: "error",
    mode: "production",
    plugins: [react()],
    resolve: {
      conditions: ["@spanloom/source", ...defaultClientConditions],
      dedupe: ["react", "react-dom", "recharts"],
    },
    build: { outDir: directory, emptyOutDir: true },
  });
  const outputs = [result].flat().flatMap((one) => ("output" in one ? one.output : []));
  return new Map(
    outputs.map(({ fileName }) => [`/${fileName}`, readFileSync(join(directory, fileName))] as const),
  );
}

async function serve(files: Map<string, Buffer>): Promise<Server> {
  const types: Record<string, string> = { ".js": "text/javascript", ".css": "text/css" };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://127.0.0.1").pathname;
    const file = files.get(path === "/" ? "/index.html" : path);
    if (file === undefined) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": types[extname(path)] ?? "text/html" }).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return address.port;
}
