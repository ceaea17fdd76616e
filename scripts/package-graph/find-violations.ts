import { existsSync, globSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative } from "node:path";
import { type PackageManifest, type PackageName, packageNames } from "../workspace.ts";
import {
  browserEntries,
  mayUse,
  modelMayImport,
  notForBrowsers,
  sourcesNotForBrowsers,
} from "./graph-rules.ts";
import { readImports, type SourceImport } from "./read-imports.ts";

const scope = "@spanloom/";

/** Checks the packages of a workspace against the graph; each line says where, what and why. */
export function findViolations(root: string): string[] {
  const workspace = readWorkspace(root);
  const violations = new Set<string>();
  for (const name of packageNames) checkPackage(workspace, name, violations);
  for (const name of packageNames) checkBrowserEntries(workspace, name, violations);
  return [...violations];
}

interface Workspace {
  root: string;
  manifests: Record<PackageName, PackageManifest>;
  importsOf: (file: string) => readonly SourceImport[];
}

function readWorkspace(root: string): Workspace {
  const manifest = (name: PackageName): PackageManifest =>
    JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")) as PackageManifest;
  const seen = new Map<string, readonly SourceImport[]>();
  return {
    root,
    manifests: Object.fromEntries(
      packageNames.map((name) => [name, manifest(name)]),
    ) as Workspace["manifests"],
    importsOf: (file) => {
      const known = seen.get(file) ?? readImports(file);
      seen.set(file, known);
      return known;
    },
  };
}

/** Direction, public entries and declared dependencies, file by file. */
function checkPackage(workspace: Workspace, name: PackageName, violations: Set<string>): void {
  const source = join(workspace.root, "packages", name, "src");
  const manifest = workspace.manifests[name];
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies };
  for (const file of globSync("**/*.{ts,tsx}", { cwd: source }).map((path) => join(source, path))) {
    for (const { specifier, line } of workspace.importsOf(file)) {
      const refuse = (why: string): void => {
        violations.add(`${relative(workspace.root, file)}:${line} imports ${specifier}: ${why}`);
      };
      if (specifier.startsWith(".")) {
        if (relative(source, join(dirname(file), specifier)).startsWith("..")) {
          refuse(
            `a relative import stays inside packages/${name}/src; use a public entry of the other package.`,
          );
        }
        continue;
      }
      const target = spanloomPackage(specifier);
      if (target && !entryPath(workspace, specifier)) {
        refuse(`that is no public entry of ${scope}${target}; see exports in its package.json.`);
      }
      if (isTest(file)) continue;
      if (target && target !== name && !mayUse[name].includes(target)) {
        refuse(`${name} may use only ${mayUse[name].join(", ") || "no other package"}.`);
      } else if (name === "model" && !target && !modelMayImport.includes(packageOf(specifier))) {
        refuse(`model may import only ${modelMayImport.join(", ")}: everything else stands on it.`);
      } else if (!isBuiltin(specifier) && target !== name && !(packageOf(specifier) in declared)) {
        refuse(
          `${packageOf(specifier)} is neither a dependency nor a peer in packages/${name}/package.json.`,
        );
      }
    }
  }
}

/** Walks what a bundler would take along from each entry that runs in a browser. */
function checkBrowserEntries(workspace: Workspace, name: PackageName, violations: Set<string>): void {
  const wanted = browserEntries[name];
  if (!wanted) return;
  for (const [key, target] of Object.entries(workspace.manifests[name].exports)) {
    if (wanted !== "*" && !wanted.includes(key)) continue;
    const entry = typeof target === "string" ? undefined : target["@spanloom/source"];
    if (!entry || !/\.tsx?$/.test(entry)) continue;
    const label = `${scope}${name}${key.slice(1)}`;
    walk(workspace, join(workspace.root, "packages", name, entry), (file, { specifier, line }, why) => {
      violations.add(
        `${relative(workspace.root, file)}:${line} imports ${specifier}: ${label} runs in a browser and must not reach ${why}.`,
      );
    });
  }
}

function walk(
  workspace: Workspace,
  entry: string,
  refuse: (file: string, found: SourceImport, why: string) => void,
): void {
  const open = [entry];
  const seen = new Set(open);
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    // A file that is not there is the compiler's to report.
    if (!existsSync(file)) continue;
    for (const found of workspace.importsOf(file)) {
      if (found.typeOnly) continue;
      const { specifier } = found;
      const next = specifier.startsWith(".")
        ? join(dirname(file), specifier)
        : entryPath(workspace, specifier);
      if (isBuiltin(specifier)) refuse(file, found, "a Node built-in");
      else if (notForBrowsers.includes(packageOf(specifier)))
        refuse(file, found, "a driver, an engine or a price table");
      else if (next && isServerSide(workspace, next)) refuse(file, found, "server-side code");
      else if (next && /\.tsx?$/.test(next) && !seen.has(next)) {
        seen.add(next);
        open.push(next);
      }
    }
  }
}

function isServerSide(workspace: Workspace, file: string): boolean {
  return sourcesNotForBrowsers.test(relative(workspace.root, file).replaceAll("\\", "/"));
}

function spanloomPackage(specifier: string): PackageName | undefined {
  if (!specifier.startsWith(scope)) return undefined;
  return packageNames.find((name) => packageOf(specifier) === scope + name);
}

/** The source file behind a public entry of one of our packages. */
function entryPath(workspace: Workspace, specifier: string): string | undefined {
  const name = spanloomPackage(specifier);
  if (!name) return undefined;
  const key = `.${specifier.slice(scope.length + name.length)}`;
  const target = workspace.manifests[name].exports[key];
  const source = typeof target === "string" ? target : target?.["@spanloom/source"];
  return source && join(workspace.root, "packages", name, source);
}

function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith("node:") || builtinModules.includes(specifier);
}

function isTest(file: string): boolean {
  return /\.(test|test-d|test-support)\.tsx?$/.test(file);
}
