// `pnpm screenshots`: pictures of every panel, taken from its stories. Wide ones go to docs/images for the README,
// narrow ones to .cache/screenshots, only to be looked at.
import { execFileSync } from "node:child_process";
import { createReadStream, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { type Browser, chromium, type Page } from "playwright";
import { findBrowser } from "./browser.ts";
import { toPalettePng } from "./screenshots/palette-png.ts";

const root = join(import.meta.dirname, "..");
const stories = join(root, "stories", "storybook-static");
const docs = join(root, "docs", "images");
const cache = join(root, ".cache", "screenshots");
const MAX_BYTES = 80_000;
const themes = ["light", "dark"] as const;

/** A panel, its story for wide pages and its story for phones. Stories with a theme of their own name it after `-`. */
const panels = [
  {
    name: "trace-tab",
    wide: "trace-tracetab--selected",
    narrow: "trace-tracetab--narrow-details",
    own: true,
  },
  { name: "cost-chart", wide: "analytics-costchart--by-workflow", narrow: "analytics-costchart--narrow" },
  {
    name: "execution-history-table",
    wide: "analytics-executionhistorytable--expanded",
    narrow: "analytics-executionhistorytable--narrow-expanded",
  },
  { name: "run-metrics", wide: "analytics-runmetrics--operator", narrow: "analytics-runmetrics--narrow" },
];

if (!process.argv.includes("--no-build")) {
  execFileSync("pnpm", ["--filter", "@spanloom/stories", "build"], { cwd: root, stdio: "inherit" });
}
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
await takeAll(panels.filter(({ name }) => asked.length === 0 || asked.includes(name)));

async function takeAll(chosen: typeof panels): Promise<void> {
  for (const directory of [docs, cache]) mkdirSync(directory, { recursive: true });
  const server = await serve(stories);
  const { executablePath, args } = await findBrowser();
  const browser = await chromium.launch({ ...(executablePath !== undefined && { executablePath }), args });
  try {
    const { port } = server.address() as AddressInfo;
    for (const { name, wide, narrow, own = false } of chosen) {
      for (const theme of themes) {
        const story = (id: string): string => {
          const themed = own && theme === "dark" ? `${id}-dark` : id;
          return `http://127.0.0.1:${port}/iframe.html?id=${themed}&viewMode=story&globals=theme:${theme}`;
        };
        const file = join(docs, `${name}-${theme}.png`);
        await take(browser, story(wide), 1440, file);
        if (statSync(file).size > MAX_BYTES) throw new Error(`${file} is larger than ${MAX_BYTES} bytes.`);
        await take(browser, story(narrow), 390, join(cache, `${name}-${theme}-390.png`));
      }
    }
  } finally {
    await browser.close();
    server.close();
  }
}

async function take(browser: Browser, url: string, width: number, file: string): Promise<void> {
  const page = await browser.newPage({
    viewport: { width, height: 900 },
    colorScheme: "light",
    reducedMotion: "reduce",
  });
  try {
    await page.goto(url);
    await untilPlayed(page);
    await page.evaluate(() => {
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    });
    const png = await page.locator(".sl-root").first().screenshot({ animations: "disabled" });
    writeFileSync(file, await toPalettePng(browser, png));
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    console.log(`${file} ${statSync(file).size} bytes`);
    if (overflow > 0) throw new Error(`The page of ${file} is ${overflow} px wider than its window.`);
  } finally {
    await page.close();
  }
}

/** A story is ready for its picture when what it does by itself is done. */
async function untilPlayed(page: Page): Promise<void> {
  await page.waitForFunction(
    () => {
      const preview: unknown = Reflect.get(window, "__STORYBOOK_PREVIEW__");
      const render: unknown =
        typeof preview === "object" && preview !== null ? Reflect.get(preview, "currentRender") : undefined;
      const phase: unknown =
        typeof render === "object" && render !== null ? Reflect.get(render, "phase") : undefined;
      if (phase === "errored") throw new Error("The story failed.");
      return phase === "finished";
    },
    undefined,
    { timeout: 20_000 },
  );
}

/** The built stories, to loopback only. */
async function serve(directory: string): Promise<Server> {
  const types: Record<string, string> = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
  };
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://loopback").pathname));
    const file = join(directory, path);
    if (!file.startsWith(directory) || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return server;
}
