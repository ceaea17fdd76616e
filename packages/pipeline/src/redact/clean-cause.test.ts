import { SpanloomError } from "@spanloom/model";
import { expect, test } from "vitest";
import { createPipeline } from "../pipeline.ts";
import { cleanCause } from "./clean-cause.ts";

const KEY = ["sk", "-proj-", "Zx9cVb8nMq7wEr6tYu5iOp4a"].join("");
const pipeline = createPipeline({ pricing: false });

class ClientError extends TypeError {
  readonly status = 401;
  readonly apiKey = "hunter2-hunter2";
  readonly request = { headers: { authorization: KEY } };
}

test("an error keeps its class, code and place, and loses secrets and the objects that hang on it", () => {
  const error = new ClientError(`refused ${KEY}`, { cause: new Error(`inner ${KEY}`) });
  const clean = cleanCause(error, pipeline, "default") as ClientError & { cause: Error };
  expect(clean).toBeInstanceOf(ClientError);
  expect(clean.message).toMatch(/^refused \[redacted/);
  expect(clean.stack).toContain("clean-cause.test.ts");
  expect(clean.status).toBe(401);
  expect(clean.cause.message).toMatch(/^inner \[redacted/);
  const all = Object.getOwnPropertyNames(clean).map((key) => String(Reflect.get(clean, key)));
  expect([clean.request, ...all, clean.cause.stack].join()).not.toMatch(/Zx9cVb8n|hunter2/);
});

test("our own errors stay what they are; what is no error is cleaned, too", () => {
  const own = new SpanloomError("store_full", { what: "No room.", fix: "Make some." });
  expect(cleanCause(own, pipeline, "default")).toMatchObject({
    code: "store_full",
    what: "No room.",
    fix: "Make some.",
  });
  expect(cleanCause(`plain ${KEY}`, pipeline, "default")).toMatch(/^plain \[redacted/);
  expect(cleanCause({ body: KEY }, pipeline, "default")).toBeUndefined();
});

test("an error that cannot be read, or is its own cause, does no harm", () => {
  const trap = new Proxy(new Error("x"), {
    ownKeys: () => {
      throw new Error(KEY);
    },
  });
  expect(cleanCause(trap, pipeline, "default")).toEqual(new Error("an error that cannot be read"));
  const ring: Error = new Error("ring");
  ring.cause = ring;
  expect(cleanCause(ring, pipeline, "default")).toMatchObject({ message: "ring" });
});
