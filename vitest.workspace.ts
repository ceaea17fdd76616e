import { storybookTest } from "@storybook/addon-vitest/vitest-plugin";
import react from "@vitejs/plugin-react";
import { playwright } from "@vitest/browser-playwright";
import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";
import { findBrowser } from "./scripts/browser.ts";

/** Tests read the sources through this export condition, so none of them needs a build. */
const source = "@spanloom/source";

/** `FULL=1` (set by `test:full`) runs the long tests, `*.full.test.ts`, and only these. */
const full = process.env.FULL === "1";
const roots = ["packages/*/src/**", "integrations/src/**", "scripts/**"];
const special = ["**/*.browser.test.tsx", "**/*.e2e.test.ts"];

const projects: TestProjectConfiguration[] = [
  {
    extends: true,
    test: {
      name: "node",
      environment: "node",
      // Worker threads and child processes inherit this: they read the sources, too.
      execArgv: [`--conditions=${source}`],
      include: roots.map((root) => (full ? `${root}/*.full.test.ts` : `${root}/*.test.{ts,tsx}`)),
      exclude: ["**/node_modules/**", "**/dist/**", ...special, ...(full ? [] : ["**/*.full.test.ts"])],
      testTimeout: full ? 300_000 : 30_000,
      hookTimeout: full ? 300_000 : 30_000,
    },
  },
];

if (!full) {
  projects.push(
    {
      extends: true,
      test: {
        name: "types",
        include: [],
        typecheck: {
          enabled: true,
          only: true,
          include: ["packages/*/src/**/*.test-d.ts"],
          tsconfig: "./tsconfig.json",
          ignoreSourceErrors: true,
        },
      },
    },
    {
      extends: true,
      test: {
        name: "e2e",
        // After the Node tests and after the browser's: pages that animate and follow need the machine to themselves.
        sequence: { groupOrder: 2 },
        environment: "node",
        include: ["integrations/e2e/**/*.e2e.test.ts"],
        testTimeout: 60_000,
        hookTimeout: 120_000,
        fileParallelism: false,
      },
    },
  );
  if (asksFor("browser") || asksFor("stories")) projects.push(...(await browserProjects()));
}

export default defineConfig({
  resolve: { conditions: [source, ...defaultClientConditions], dedupe: ["react", "react-dom"] },
  // Node knows no "module" condition: files behind it are made for bundlers and do not load here.
  ssr: { resolve: { conditions: [source, ...defaultServerConditions.filter((name) => name !== "module")] } },
  test: {
    projects,
    allowOnly: false,
    reporters: ["default", "./scripts/skipped-reporter.ts"],
    maxWorkers: 2,
  },
});

async function browserProjects(): Promise<TestProjectConfiguration[]> {
  const { executablePath, args } = await findBrowser();
  // A fresh one for each project: Vitest names the instances inside.
  const browser = () => ({
    enabled: true,
    headless: true,
    provider: playwright({ launchOptions: { executablePath, args } }),
    instances: [{ browser: "chromium" as const }],
    screenshotFailures: false,
  });
  return [
    {
      extends: true,
      plugins: [react()],
      test: {
        name: "browser",
        include: ["packages/*/src/**/*.browser.test.tsx"],
        sequence: { groupOrder: 1 },
        browser: browser(),
      },
    },
    {
      extends: true,
      plugins: [storybookTest({ configDir: "stories/.storybook" })],
      test: { name: "stories", sequence: { groupOrder: 1 }, browser: browser() },
    },
  ];
}

/** A run of the Node tests alone must not need a browser on the machine. */
function asksFor(project: string): boolean {
  const asked = process.argv.flatMap((argument, index, all) => {
    if (argument.startsWith("--project=")) return [argument.slice("--project=".length)];
    return all[index - 1] === "--project" ? [argument] : [];
  });
  return (
    asked.length === 0 || asked.some((name) => name === project || name.includes("*") || name.startsWith("!"))
  );
}
