import { test } from "vitest";
import { surviveOutage } from "./outage.test-support.ts";

test("a collector that is down for a minute gets everything when it is back", () => surviveOutage(60_000));
