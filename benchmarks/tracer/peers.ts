// Other tracers are heavy (300 packages), so the workspace does not know them: they are installed at the first run.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const directory = join(import.meta.dirname, "../peers");
const INSTALL_TIMEOUT_MS = 600_000;

/** Whether the peers are there, installed now where they were not. Says why where they cannot be had. */
export function installPeers(): boolean {
  const lockfile = readFileSync(join(directory, "package-lock.json"), "utf8");
  const mark = join(directory, "node_modules/.installed");
  if (existsSync(mark) && readFileSync(mark, "utf8") === lockfile) return true;
  console.log("Installing the peers (once, 350 MB, in benchmarks/peers) ...");
  const { status, stderr, error } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: directory,
    encoding: "utf8",
    timeout: INSTALL_TIMEOUT_MS,
    shell: process.platform === "win32",
  });
  if (status === 0) {
    writeFileSync(mark, lockfile);
    return true;
  }
  const said = (error?.message ?? stderr).trim().split("\n").slice(-5).join("\n");
  console.log(`The peers could not be installed, so their rows are left out. npm said:\n${said}`);
  return false;
}
