// Packs every package as it would be published and checks the tarball: what is in it, and whether
// each entry resolves with its types (publint, attw). Needs a build.
import { execFile } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type PackageName, packageDirectory, packageNames, root } from "./workspace.ts";

const run = promisify(execFile);
const bin = (name: string): string => join(root, "node_modules/.bin", name);
const tarballs = join(root, ".cache/tarballs");
rmSync(tarballs, { recursive: true, force: true });
mkdirSync(tarballs, { recursive: true });

const queue = [...packageNames];
const problems: string[] = [];
await Promise.all([worker(), worker()]);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`${packageNames.length} packed packages have the right shape.`);

async function worker(): Promise<void> {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    try {
      await checkPackage(name);
    } catch (error) {
      const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
      problems.push(`${name}: ${stdout}${stderr}` || String(error));
    }
  }
}

async function checkPackage(name: PackageName): Promise<void> {
  const tarball = join(tarballs, `${name}.tgz`);
  await run("pnpm", ["pack", "--out", tarball], {
    cwd: packageDirectory(name),
    shell: process.platform === "win32",
  });
  const { stdout: listing } = await run("tar", ["-tzf", tarball]);
  const files = listing.split("\n");
  for (const needed of [
    "package/README.md",
    "package/LICENSE",
    "package/dist/index.js",
    "package/dist/index.d.ts",
  ]) {
    if (!files.includes(needed))
      problems.push(`${name}: ${needed.slice("package/".length)} is missing in the tarball.`);
  }
  for (const file of files.filter((path) => /\/src\/|\.test[.-]|tsbuildinfo/.test(path))) {
    problems.push(`${name}: ${file} does not belong in the tarball.`);
  }
  const { stdout: manifest } = await run("tar", ["-xzOf", tarball, "package/package.json"]);
  for (const leftover of ["@spanloom/source", "workspace:"]) {
    if (JSON.stringify(published(manifest)).includes(leftover)) {
      problems.push(`${name}: ${leftover} is left in the published package.json.`);
    }
  }
  await run(bin("publint"), ["run", tarball, "--strict"]);
  await run(bin("attw"), [
    tarball,
    "--profile",
    "esm-only",
    "--exclude-entrypoints",
    "./styles.css",
    "--no-emoji",
  ]);
}

/** What installers and bundlers read. */
function published(manifest: string): unknown {
  const { exports, dependencies, peerDependencies } = JSON.parse(manifest) as Record<string, unknown>;
  return { exports, dependencies, peerDependencies };
}
