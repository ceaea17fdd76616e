export {
  type DeadLetter,
  readDeadLetters,
  redriveDeadLetters,
  rewriteDeadLetters,
} from "@spanloom/pipeline/durable";
export type { Durability } from "../deliver/spool.ts";
export { createDiskSpool, type DiskSpoolOptions, deadLetterDirectory } from "./disk-spool.ts";
