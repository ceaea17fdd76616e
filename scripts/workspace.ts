import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const root: string = dirname(dirname(fileURLToPath(import.meta.url)));

/** Every package that is published, lowest first: one may use only those before it. */
export const packageNames = [
  "model",
  "pipeline",
  "metrics",
  "store",
  "tracer",
  "server",
  "react-core",
  "react-trace",
  "react-analytics",
] as const;

export type PackageName = (typeof packageNames)[number];

export interface PackageManifest {
  name: string;
  exports: Record<string, string | Record<string, string>>;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

export function packageDirectory(name: PackageName): string {
  return join(root, "packages", name);
}

export function readManifest(name: PackageName): PackageManifest {
  return JSON.parse(readFileSync(join(packageDirectory(name), "package.json"), "utf8")) as PackageManifest;
}
