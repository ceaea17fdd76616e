import * as v from "valibot";
import {
  ANALYTICS_GROUPS,
  type AnalyticsGroup,
  type AnalyticsQuery,
  COST_GROUPS,
  type DailyCostsQuery,
} from "../analytics.ts";
import { SpanloomError } from "../errors.ts";
import { EXECUTION_STATUSES } from "../execution.ts";
import {
  EXECUTION_SORTS,
  type ExecutionSort,
  type GetTraceQuery,
  type ListExecutionsQuery,
} from "../ports/trace-reader.ts";
import { SEARCH_PLACES, type SearchSpansQuery } from "../search.ts";
import { nanosToRfc3339, rfc3339ToNanos } from "../time.ts";

/** Query strings of the routes: built by the client, read by the server, in one place. */

type Params = Record<string, string | undefined>;

/** How many executions one `ids` request may name. */
const MAX_IDS = 500;
/** Filters are ids or names, cursors hold a position: what is longer is no honest request. */
const MAX_TEXT = 500;
const MAX_CURSOR = 4_000;

const SORT_NAMES: Record<ExecutionSort, string> = {
  startTime: "start_time",
  workflowName: "workflow_name",
  status: "status",
  durationMs: "duration_ms",
  cost: "cost",
  nodeCount: "node_count",
  spanCount: "span_count",
};

const ANALYTICS_GROUP_NAMES: Record<AnalyticsGroup, string> = {
  day: "day",
  workflow: "workflow",
  nodeType: "node_type",
  model: "model",
};

export function listExecutionsParams(query: ListExecutionsQuery): Params {
  return {
    workflow_id: query.workflowId,
    status: query.status?.join(","),
    thread_id: query.threadId,
    from: query.from === undefined ? undefined : nanosToRfc3339(query.from),
    to: query.to === undefined ? undefined : nanosToRfc3339(query.to),
    text: query.text,
    sort: query.sort && `${query.sort.direction === "desc" ? "-" : ""}${SORT_NAMES[query.sort.by]}`,
    cursor: query.cursor,
    limit: query.limit?.toString(),
  };
}

export function readListExecutions(params: Params): ListExecutionsQuery {
  return read(params, listSchema);
}

export function getTraceParams(query: GetTraceQuery): Params {
  return {
    view: query.view,
    as_of_seq: query.asOfSeq?.toString(),
    cursor: query.cursor,
    limit: query.limit?.toString(),
  };
}

export function readGetTrace(params: Params): GetTraceQuery {
  return read(params, traceSchema);
}

export function searchSpansParams(query: SearchSpansQuery): Params {
  return {
    text: query.text,
    places: query.places?.join(","),
    cursor: query.cursor,
    limit: query.limit?.toString(),
  };
}

export function readSearchSpans(params: Params): SearchSpansQuery {
  return read(params, searchSchema);
}

export function dailyCostsParams(query: DailyCostsQuery): Params {
  return {
    days: query.days.toString(),
    time_zone: query.timeZone,
    last_day: query.lastDay,
    group_by: query.groupBy,
    workflow_id: query.workflowId,
  };
}

export function readDailyCosts(params: Params): DailyCostsQuery {
  return read(params, dailySchema);
}

export function analyticsParams(query: AnalyticsQuery): Params {
  return {
    days: query.days.toString(),
    time_zone: query.timeZone,
    last_day: query.lastDay,
    // A group that is none goes as it is: the server says so.
    group_by: query.groupBy && (ANALYTICS_GROUP_NAMES[query.groupBy] ?? query.groupBy),
    workflow_id: query.workflowId,
  };
}

export function readAnalytics(params: Params): AnalyticsQuery {
  return read(params, analyticsSchema);
}

/** Reads a whole number >= 0, e.g. `since_seq`. Absent gives `undefined`. */
export function readCount(params: Params, name: string): number | undefined {
  return read(params, v.object({ [name]: v.optional(digits(name)) }))[name];
}

/** Several executions at once: `ids` repeats, because a host's ids may hold any separator. */
export function executionIdsParams(executionIds: readonly string[]): string {
  return `?${new URLSearchParams(executionIds.map((id) => ["ids", id]))}`;
}

/** The ids asked for; `undefined` where the request is for a list. */
export function readExecutionIds(search: URLSearchParams): string[] | undefined {
  const ids = search.getAll("ids");
  if (ids.length > MAX_IDS) {
    throw new SpanloomError("limit_exceeded", {
      what: `${ids.length} executions were asked for at once.`,
      why: `At most ${MAX_IDS} may be.`,
      fix: "Ask in several requests.",
    });
  }
  return ids.length === 0 ? undefined : ids;
}

/** `?a=b&c=d` without the absent ones; empty when there are none. */
export function queryString(params: Params): string {
  const present = Object.entries(params).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return present.length === 0 ? "" : `?${new URLSearchParams(present)}`;
}

function digits(name: string, least = 0, most: number = Number.MAX_SAFE_INTEGER) {
  const message = `${name} must be a whole number from ${least} to ${most}`;
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,16}$/, message),
    v.transform(Number),
    v.minValue(least, message),
    v.maxValue(most, message),
  );
}

function shortText(name: string, most: number = MAX_TEXT) {
  return v.pipe(v.string(), v.maxLength(most, `${name} must not be longer than ${most} characters`));
}

function timeOf(name: string) {
  const message = `${name} must be RFC 3339 like 2026-11-21T09:30:00Z`;
  return v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }): string => {
      try {
        return rfc3339ToNanos(dataset.value);
      } catch {
        addIssue({ message });
        return NEVER;
      }
    }),
  );
}

/** True for days that the calendar has: not for 2026-02-30. */
function isDay(text: string): boolean {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(text);
}

const sortSchema = v.pipe(
  v.string(),
  v.transform((value) => ({
    by: EXECUTION_SORTS.find((name) => SORT_NAMES[name] === value.replace(/^-/, "")),
    direction: value.startsWith("-") ? ("desc" as const) : ("asc" as const),
  })),
  v.check(
    (sort) => sort.by !== undefined,
    `sort must be one of ${Object.values(SORT_NAMES).join(", ")}, with - in front for descending`,
  ),
  v.transform((sort) => sort as { by: ExecutionSort; direction: "asc" | "desc" }),
);

const listSchema = v.pipe(
  v.object({
    workflow_id: v.optional(shortText("workflow_id")),
    status: v.optional(
      v.pipe(
        v.string(),
        v.transform((value) => value.split(",")),
        v.array(v.picklist(EXECUTION_STATUSES, `status must be of ${EXECUTION_STATUSES.join(", ")}`)),
      ),
    ),
    thread_id: v.optional(shortText("thread_id")),
    from: v.optional(timeOf("from")),
    to: v.optional(timeOf("to")),
    text: v.optional(shortText("text")),
    sort: v.optional(sortSchema),
    cursor: v.optional(shortText("cursor", MAX_CURSOR)),
    limit: v.optional(digits("limit", 1, 500)),
  }),
  v.transform(
    ({ workflow_id, thread_id, ...rest }): ListExecutionsQuery =>
      defined({ workflowId: workflow_id, threadId: thread_id, ...rest }),
  ),
);

const traceSchema = v.pipe(
  v.object({
    view: v.optional(v.picklist(["skeleton", "full"], "view must be skeleton or full")),
    as_of_seq: v.optional(digits("as_of_seq")),
    cursor: v.optional(shortText("cursor", MAX_CURSOR)),
    limit: v.optional(digits("limit", 1, 10_000)),
  }),
  v.transform(({ as_of_seq, ...rest }): GetTraceQuery => defined({ asOfSeq: as_of_seq, ...rest })),
);

const placesMessage = `places must be some of ${SEARCH_PLACES.join(", ")}`;
const searchSchema = v.pipe(
  v.object({
    text: v.pipe(shortText("text"), v.minLength(1, "text must not be empty")),
    places: v.optional(
      v.pipe(
        v.string(),
        v.transform((value) => value.split(",")),
        v.array(v.picklist(SEARCH_PLACES, placesMessage)),
      ),
    ),
    cursor: v.optional(shortText("cursor", MAX_CURSOR)),
    limit: v.optional(digits("limit", 1, 1_000)),
  }),
  v.transform((query): SearchSpansQuery => defined(query)),
);

const windowEntries = {
  days: v.optional(digits("days", 1, 400), "30"),
  time_zone: v.optional(v.string(), "UTC"),
  last_day: v.optional(v.pipe(v.string(), v.check(isDay, "last_day must be a date like 2026-11-21"))),
  workflow_id: v.optional(shortText("workflow_id")),
};

const dailySchema = v.pipe(
  v.object({
    ...windowEntries,
    group_by: v.optional(v.picklist(COST_GROUPS, `group_by must be one of ${COST_GROUPS.join(", ")}`)),
  }),
  v.transform(
    ({ days, time_zone, last_day, group_by, workflow_id }): DailyCostsQuery =>
      defined({ days, timeZone: time_zone, lastDay: last_day, groupBy: group_by, workflowId: workflow_id }),
  ),
);

const groupNames = Object.values(ANALYTICS_GROUP_NAMES);
const analyticsSchema = v.pipe(
  v.object({
    ...windowEntries,
    group_by: v.optional(v.picklist(groupNames, `group_by must be one of ${groupNames.join(", ")}`)),
  }),
  v.transform(
    ({ days, time_zone, last_day, group_by, workflow_id }): AnalyticsQuery =>
      defined({
        days,
        timeZone: time_zone,
        lastDay: last_day,
        groupBy: ANALYTICS_GROUPS.find((group) => ANALYTICS_GROUP_NAMES[group] === group_by),
        workflowId: workflow_id,
      }),
  ),
);

function read<Output>(params: Params, schema: v.GenericSchema<unknown, Output>): Output {
  const result = v.safeParse(schema, params);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new SpanloomError("invalid_argument", {
    what: `The query parameter ${v.getDotPath(issue)} cannot be used.`,
    why: `${issue.message}.`,
    fix: "Correct it or leave it out.",
  });
}

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}
