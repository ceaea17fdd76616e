import { type RedactReport, type RedactRule, type RedactSelection, spanKey } from "@spanloom/model";
import { describe } from "vitest";
import { createPlainStore, PlainScope } from "./plain-store.test-support.ts";
import { type Fault, logging, testFaults } from "./plant-fault.test-support.ts";

/** A store that redacts in its own way. */
function redacting(
  redact: (this: Redacting, rule: RedactRule, selection?: RedactSelection) => Promise<RedactReport>,
): Fault["open"] {
  return () => createPlainStore((scope) => new Redacting(scope, redact));
}

class Redacting extends PlainScope {
  private readonly own: (
    this: Redacting,
    rule: RedactRule,
    selection?: RedactSelection,
  ) => Promise<RedactReport>;

  constructor(
    scope: string,
    own: (this: Redacting, rule: RedactRule, selection?: RedactSelection) => Promise<RedactReport>,
  ) {
    super(scope);
    this.own = own;
  }

  override redact(rule: RedactRule, selection?: RedactSelection): Promise<RedactReport> {
    return this.own(rule, selection);
  }

  /** The sound way. */
  soundly(rule: RedactRule, selection?: RedactSelection): Promise<RedactReport> {
    return super.redact(rule, selection);
  }

  /** Overwrites what is stored, and says nothing of it. */
  overwrite(rule: RedactRule, step: number): RedactReport {
    for (const record of this.records.values()) {
      const changed = { ...rule(record), revision: record.revision + step };
      this.records.set(spanKey(record), changed);
      this.views.set(spanKey(record), {
        ...changed,
        executionId: this.views.get(spanKey(record))?.executionId ?? "",
      });
    }
    return { executions: 1, spans: 2 };
  }
}

const redactionFaults: Fault[] = [
  {
    name: "records are overwritten without a new revision",
    chapter: "redaction",
    open: redacting(async function (rule) {
      return this.overwrite(rule, 0);
    }),
  },
  {
    name: "nobody is told",
    chapter: "redaction",
    open: redacting(async function (rule) {
      return this.overwrite(rule, 1);
    }),
  },
  {
    name: "a rule may change anything",
    chapter: "redaction",
    open: redacting(async function (rule, selection) {
      return this.soundly((record) => {
        const changed = rule(record);
        return { ...changed, executionId: record.executionId, revision: record.revision };
      }, selection);
    }),
  },
  {
    name: "the selection is not looked at",
    chapter: "redaction",
    open: redacting(async function (rule) {
      return this.soundly(rule);
    }),
  },
  {
    name: "only the first page of an execution is redacted",
    chapter: "redaction",
    open: redacting(async function (rule, selection) {
      let left = 500;
      return this.soundly((record) => (left-- > 0 ? rule(record) : record), selection);
    }),
  },
  {
    name: "every span gets a new revision, changed or not",
    chapter: "redaction",
    open: redacting(async function (rule, selection) {
      let turn = 0;
      return this.soundly((record) => ({ ...rule(record), traceState: `turn=${turn++}` }), selection);
    }),
  },
  {
    name: "what the rule throws comes through as it is",
    chapter: "redaction",
    open: redacting(async function (rule, selection) {
      let thrown: unknown;
      const watched: RedactRule = (record) => {
        try {
          return rule(record);
        } catch (error) {
          thrown = error;
          throw error;
        }
      };
      return this.soundly(typeof rule === "function" ? watched : rule, selection).catch((error: unknown) => {
        throw thrown ?? error;
      });
    }),
  },
  { name: "the old bytes stay in a log", chapter: "redaction", features: { erasure: true }, open: logging },
];

describe("the conformance kit", () => testFaults(redactionFaults));
