import { describe, test } from "vitest";
import { storeConformance } from "../testing/index.ts";
import { httpFeatures, openOverSocket } from "./http-harness.test-support.ts";

storeConformance({
  name: "http, over a socket",
  runner: { describe, test },
  features: httpFeatures,
  histories: 3,
  open: openOverSocket,
});
