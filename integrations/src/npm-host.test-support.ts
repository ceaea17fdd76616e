import { execFile, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { packageDirectory, packageNames, root } from "../../scripts/workspace.ts";

const run = promisify(execFile);
const consumer = join(root, "integrations/consumer");

/** Packs every package as it would be published; gives what npm installs, by package name. Needs a build. */
export async function packPackages(folder: string): Promise<Record<string, string>> {
  const packed: Record<string, string> = {};
  for (const name of packageNames) {
    const tarball = join(folder, `${name}.tgz`);
    await runQuietly("pnpm", ["pack", "--out", tarball], packageDirectory(name));
    packed[`@spanloom/${name}`] = `file:${tarball}`;
  }
  return packed;
}

/** An app of its own outside the workspace, with the named files of `integrations/consumer` in it. */
export function createApp(folder: string, files: readonly string[] = []): string {
  mkdirSync(folder, { recursive: true });
  // This line of LangGraph takes any later SDK of itself, also such as need a later core than there is.
  const overrides = { "@langchain/langgraph-sdk": "1.12.4", "@langchain/protocol": "0.0.19" };
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "app", private: true, type: "module", overrides }),
  );
  for (const file of files) copyFileSync(join(consumer, file), join(folder, file));
  return folder;
}

/** Installs into an app as its developer would, and refuses what npm would have to talk itself into. */
export async function npmInstall(
  app: string,
  dependencies: Record<string, string>,
  { strictPeers = true } = {},
): Promise<void> {
  const wanted = Object.entries(dependencies).map(([name, version]) =>
    version.startsWith("file:") ? version.slice("file:".length) : `${name}@${version}`,
  );
  const flags = ["--no-audit", "--no-fund", ...(strictPeers ? ["--strict-peer-deps"] : [])];
  await runQuietly("npm", ["install", ...flags, ...wanted], app);
}

/** Gives what the program printed; an error carries all that it said. */
export async function runQuietly(program: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await run(program, args, { cwd, env: hostEnvironment(), maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(" ")} failed in ${cwd}:\n${stdout}${stderr}${String(error)}`);
  }
}

/** Starts a program of the app and waits for its first line, which is JSON. */
export async function startService(
  app: string,
  file: string,
): Promise<{ said: unknown; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [file], { cwd: app, env: hostEnvironment() });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  const said = await new Promise<unknown>((resolve, reject) => {
    createInterface(child.stdout).once("line", (line) => resolve(JSON.parse(line)));
    child.once("exit", (code) => reject(new Error(`${file} ended with ${code}:\n${complaints}`)));
  });
  return {
    said,
    stop: () => {
      child.kill();
      return ended;
    },
  };
}

/** The versions that the workspace pins, so that a release elsewhere cannot fail this test overnight. */
export function pinned(manifest: string, names: readonly string[]): Record<string, string> {
  const { devDependencies } = JSON.parse(readFileSync(join(root, manifest), "utf8")) as {
    devDependencies: Record<string, string>;
  };
  return Object.fromEntries(
    names.map((name) => {
      const version = devDependencies[name];
      if (version === undefined) throw new Error(`${manifest} does not pin ${name}.`);
      return [name, version];
    }),
  );
}

/** What a developer's shell has: nothing that a package manager or a test runner handed down. */
function hostEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([key]) => !/^(npm_(?!config_(registry|cafile)$)|vitest|node_options$|node_env$|test$)/i.test(key),
    ),
  );
}
