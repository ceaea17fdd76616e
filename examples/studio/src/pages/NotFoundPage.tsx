import type { ReactElement } from "react";
import { Link } from "wouter";

export function NotFoundPage(): ReactElement {
  return (
    <>
      <h1>There is no such page</h1>
      <p>
        The address may be mistyped. Everything starts at <Link href="/">Workflows</Link>.
      </p>
    </>
  );
}
