import type { CostSum } from "./cost.ts";
import type { UnixNanos } from "./time.ts";
import type { UsageSum } from "./usage.ts";

export const COST_GROUPS = ["workflow", "model"] as const;
/** How a day's cost splits: by workflow id, or by `provider/model`. */
export type CostGroup = (typeof COST_GROUPS)[number];

export interface DailyCostsQuery {
  /** How many local days, the last one included: 1 to 400. */
  days: number;
  /** IANA name, e.g. `Europe/Berlin`. Throws `invalid_time_zone` where it is unknown. */
  timeZone: string;
  /** The last local day, `YYYY-MM-DD`; today in `timeZone` where absent. */
  lastDay?: string;
  groupBy?: CostGroup;
  /** Only this workflow. */
  workflowId?: string;
}

export interface CostGroupSum {
  /** Workflow id or `provider/model`; empty where spans did not say. */
  key: string;
  usage: UsageSum;
  cost: CostSum;
}

/** What was spent on one local day, by the start of the spans that count. Days without any are there, with empty sums. */
export interface DailyCost {
  /** `YYYY-MM-DD` in the query's time zone. */
  day: string;
  /** The day's first quarter-hour; days of 23 and 25 hours are told apart by it. */
  startTime: UnixNanos;
  endTime: UnixNanos;
  usage: UsageSum;
  cost: CostSum;
  /** Largest cost first; empty without `groupBy`. */
  groups: CostGroupSum[];
}

export interface DailyCosts {
  timeZone: string;
  groupBy?: CostGroup;
  days: DailyCost[];
}
