// Node only: files of records that wait, or that were refused
export {
  type DeadLetter,
  DeadLetters,
  type DeadLettersOptions,
  readDeadLetters,
  redriveDeadLetters,
  rewriteDeadLetters,
} from "./dead-letters.ts";
export type { LoggedRecord, Place, ReadResult } from "./log-directory.ts";
export { SpillLog, type SpillLogOptions } from "./spill-log.ts";
