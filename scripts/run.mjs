// The project's commands: `node scripts/run.mjs start|test|test:full|check|bench [name]`.
// Needs nothing but Node 20 and npm: it uses Node's built-ins only and fetches a newer Node and pnpm where they are absent.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const node = "24.21.0";
const pnpm = "12.21.0";
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const studio = join(root, "examples/studio");
const results = join(root, ".cache/test-results.json");
const env = cleanEnvironment();
const [command = "", ...rest] = process.argv.slice(2);

const install = { name: "install", run: ["pnpm", "install", "--frozen-lockfile"], essential: true };
const build = { name: "build packages", run: ["node", "scripts/build/build.ts"] };
const buildStudio = { name: "build studio", run: ["pnpm", "--filter", "@spanloom/studio", "build"] };
const checks = [
  build,
  { name: "types", run: ["pnpm", "run", "types"] },
  { name: "format and lint", run: ["pnpm", "run", "lint"] },
  { name: "package graph", run: ["node", "scripts/check-package-graph.ts"] },
  { name: "dead code", run: ["pnpm", "run", "dead-code"] },
  { name: "package shape", run: ["node", "scripts/check-package-shape.ts"] },
  buildStudio,
  { name: "tests", run: vitest(), tests: true },
];

const commands = {
  test: () => runAll([install, ...checks]),
  check: () => runAll(checks),
  "test:full": () =>
    runAll([
      install,
      build,
      buildStudio,
      { name: "long tests", run: vitest(), env: { FULL: "1" }, tests: true },
    ]),
  bench: async () => {
    const failed = await runAll([install]);
    return failed || exec(["node", "--conditions=@spanloom/source", "benchmarks/run.ts", ...rest]);
  },
  start,
};

if (!Object.hasOwn(commands, command)) {
  console.error(`No command is called "${command}". There are: ${Object.keys(commands).join(", ")}.`);
  process.exit(2);
}
process.exitCode = hasTools() ? await commands[command]() : await bootstrap();

/** Runs every step, so that one run shows all that is wrong; only without an install there is no point in going on. */
async function runAll(steps) {
  const started = Date.now();
  const failed = [];
  rmSync(results, { force: true });
  for (const [index, step] of steps.entries()) {
    console.log(`\n[${index + 1}/${steps.length}] ${step.name}`);
    const from = Date.now();
    const code = await exec(step.run, step.env);
    console.log(
      `[${index + 1}/${steps.length}] ${step.name}: ${code === 0 ? "ok" : "FAILED"} in ${seconds(from)}`,
    );
    if (code !== 0) failed.push(step);
    if (code >= 128 || (code !== 0 && step.essential)) break;
  }
  const outcome =
    failed.length === 0 ? "all steps passed" : `failed: ${failed.map((step) => step.name).join(", ")}`;
  console.log(`\n${command}: ${outcome} in ${seconds(started)}`);
  if (steps.some((step) => step.tests)) console.log(closingLine(failed));
  return failed.length === 0 ? 0 : 1;
}

/** Tests by Vitest's own count; a failed step of another kind counts as one failure, so that 0 failed means all is well. */
function closingLine(failedSteps) {
  const others = failedSteps.filter((step) => !step.tests).length;
  const testsFailed = failedSteps.some((step) => step.tests);
  if (!existsSync(results)) return `0 passed, ${others + 1} failed`;
  const report = JSON.parse(readFileSync(results, "utf8"));
  const brokenFiles = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failures = report.numFailedTests + brokenFiles;
  return `${report.numPassedTests} passed, ${others + Math.max(failures, testsFailed ? 1 : 0)} failed`;
}

async function start() {
  const failed = await runAll([install, { ...build, essential: true }, { ...buildStudio, essential: true }]);
  if (failed) return failed;
  const { scripts } = JSON.parse(readFileSync(join(studio, "package.json"), "utf8"));
  const settings = {
    PORT: process.env.PORT ?? "4600",
    SPANLOOM_DATA: resolve(root, process.env.SPANLOOM_DATA ?? ".spanloom"),
    PATH: [join(studio, "node_modules/.bin"), env.PATH].join(delimiter),
  };
  // `exec` leaves no shell between us and the server, so that a signal reaches it.
  const script = process.platform === "win32" ? scripts.start : `exec ${scripts.start}`;
  return exec([script], settings, { cwd: studio, shell: true });
}

/** The same command under a Node and a pnpm that npx fetches; npm caches both. */
function bootstrap() {
  if (process.env.SPANLOOM_BOOTSTRAPPED) {
    console.error(
      `npx gave Node ${process.versions.node} and no pnpm ${pnpm}. Install Node ${node} and try again.`,
    );
    return 1;
  }
  const fetched = [...(nodeIsEnough() ? [] : [`node@${node}`]), `pnpm@${pnpm}`];
  console.log(`Node ${process.versions.node} found; fetching ${fetched.join(" and ")} (once, through npm).`);
  const line = ["node", "scripts/run.mjs", command, ...rest.map((word) => JSON.stringify(word))].join(" ");
  const packages = fetched.flatMap((name) => ["-p", name]);
  return exec(["npx", "-y", ...packages, "-c", line], { SPANLOOM_BOOTSTRAPPED: "1" });
}

function hasTools() {
  if (!nodeIsEnough()) return false;
  const found = spawnSync("pnpm", ["--version"], {
    env,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  return found.status === 0 && found.stdout.trim().startsWith(`${pnpm.split(".")[0]}.`);
}

/** The floors come from the tools (jsdom); the packages themselves run on 22.15. */
function nodeIsEnough() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major >= 26 || (major === 24 && minor >= 15) || (major === 22 && minor >= 22);
}

/** npm hands its settings down as variables, which pnpm and a nested npx would take for their own. */
function cleanEnvironment() {
  const inherited = { ...process.env };
  for (const key of Object.keys(inherited)) {
    if (/^npm_(config_(?!registry|cafile)|lifecycle|package|command|execpath)/i.test(key))
      delete inherited[key];
  }
  return inherited;
}

function vitest() {
  const reporters = ["default", "json", "./scripts/skipped-reporter.ts"].flatMap((name) => [
    "--reporter",
    name,
  ]);
  return [
    "pnpm",
    "exec",
    "vitest",
    "run",
    "--config",
    "vitest.workspace.ts",
    ...reporters,
    "--outputFile.json",
    results,
  ];
}

/**
 * Runs a program to its end and gives its exit code; signals that we get are its to handle. A signal to npm
 * ends only the shell between npm and us, so we also stop when our parent is gone.
 */
function exec([program, ...args], more = {}, options = {}) {
  return new Promise((done) => {
    const parent = process.ppid;
    const child = spawn(program, args, {
      cwd: root,
      env: { ...env, ...more },
      stdio: "inherit",
      shell: process.platform === "win32",
      ...options,
    });
    const pass = (signal) => child.kill(signal);
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) process.on(signal, pass);
    const orphaned = setInterval(() => process.ppid !== parent && pass("SIGTERM"), 500);
    const end = (code) => {
      clearInterval(orphaned);
      for (const signal of signals) process.off(signal, pass);
      done(code);
    };
    child.on("error", (error) => {
      console.error(`${program} could not be started: ${error.message}`);
      end(127);
    });
    child.on("exit", (code, signal) => end(code ?? (signal ? 130 : 1)));
  });
}

function seconds(from) {
  return `${((Date.now() - from) / 1000).toFixed(1)} s`;
}
