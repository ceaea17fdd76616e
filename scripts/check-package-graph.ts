// Fails when an import goes against the package graph; see docs/architecture.md.
import { findViolations } from "./package-graph/find-violations.ts";
import { root } from "./workspace.ts";

const violations = findViolations(root);
for (const violation of violations) console.error(violation);
if (violations.length > 0) {
  console.error(
    `${violations.length} import(s) go against the package graph in scripts/package-graph/graph-rules.ts.`,
  );
  process.exit(1);
}
console.log("Every import follows the package graph.");
