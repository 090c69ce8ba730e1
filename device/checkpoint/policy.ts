// When state is written to disk. A checkpoint costs its bytes on an SD card; without one, a restart costs the time to
// replay what has come since, and holds that part of the log. Neither may get out of hand, whatever the task:
//
// - bytes: checkpoints together are an eighth of what is logged, at most as much again (and then only for large
//   states on slow streams), unless 200,000 messages have come;
// - time: a replay is 20,000 messages where that costs no more than the log itself, and never more than 200,000: 3.5 s
//   on a core of a cloud machine (57,000 a second, `npm run bench:durability`), several times that on a small one;
// - age: state that is worth less than the log since then is at most ten minutes old.

/** What has happened since the last checkpoint. */
export interface Since {
  readonly messages: number;
  /** Of these messages. */
  readonly bytes: number;
  readonly ms: number;
}

const LOG_PER_STATE = 8;
/** Small states cost whole pages all the same. */
const STATE_BYTES_MIN = 16 * 1024;
const MESSAGES = 20_000;
const MESSAGES_MAX = 200_000;
const AGE_MS = 600_000;

/** True when what has come is worth writing `stateBytes` (those of the last checkpoint) once more. */
export function isWorthCheckpoint({ messages, bytes, ms }: Since, stateBytes: number): boolean {
  const cost = Math.max(stateBytes, STATE_BYTES_MIN);
  if (messages >= MESSAGES_MAX || bytes >= LOG_PER_STATE * cost) return true;
  return bytes >= cost && (messages >= MESSAGES || ms >= AGE_MS);
}
