import type { SpanKind } from "@spanloom/model";
import type { Dialect } from "../index.ts";

const KINDS: Record<string, SpanKind> = { completion: "llm", function: "tool" };

export const acmeDialect: Dialect = {
  name: "acme",
  prefixes: ["acme."],
  normalize: (draft) => {
    const type = draft.attribute("acme.type");
    const kind = typeof type === "string" ? KINDS[type] : undefined;
    if (kind !== undefined) draft.move("kind", kind, "acme.type");

    const model = draft.attribute("acme.model");
    if (typeof model === "string") draft.move("model", model, "acme.model");

    const read = draft.attribute("acme.tokens.prompt");
    if (typeof read === "number") draft.moveUsage({ input: read }, "acme.tokens.prompt");
    const written = draft.attribute("acme.tokens.answer");
    if (typeof written === "number") draft.moveUsage({ output: written }, "acme.tokens.answer");

    const question = draft.attribute("acme.question");
    if (typeof question === "string") {
      draft.move("input", { format: "text", state: "captured", text: question }, "acme.question");
    }
  },
};
