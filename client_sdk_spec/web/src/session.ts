/** A visit: its id, and the randomness by which it may be sampled as a whole. */

import { newRandomness, newTraceId } from "./ids.ts";
import type { Memory } from "./memory.ts";

/** A session ends after this long without a span … */
const IDLE_MS = 15 * 60_000;
/** … and after this long in any case. */
const LONGEST_MS = 4 * 3_600_000;
/** How often its last moment is written for other pages and tabs. */
const WRITE_MS = 30_000;

export interface Session {
  id: string;
  /** W3C `rv`, drawn anew for every session. */
  randomness: string;
  beganMs: number;
  seenMs: number;
}

export class Sessions {
  readonly #memory: Memory;
  readonly #now: () => number;
  #session: Session;
  #writtenMs = 0;

  /** @param now the wall clock, which all pages share; ms */
  constructor(memory: Memory, now: () => number) {
    this.#memory = memory;
    this.#now = now;
    this.#session = this.#stored() ?? this.#begin();
  }

  get current(): Session {
    return this.#session;
  }

  /** Something happened. True when it began a new session. */
  touch(): boolean {
    const nowMs = this.#now();
    const before = this.#session.id;
    if (!this.#lives(this.#session)) this.#session = this.#stored() ?? this.#begin();
    this.#session.seenMs = nowMs;
    if (Math.abs(nowMs - this.#writtenMs) >= WRITE_MS) this.write();
    return this.#session.id !== before;
  }

  /** Begins a new one: what was known of the user before must not be tied to what comes. */
  renew(): void {
    this.#session = this.#begin();
    this.write();
  }

  write(): void {
    this.#writtenMs = this.#now();
    this.#memory.write("session", this.#session);
  }

  #stored(): Session | undefined {
    const stored = this.#memory.read<Session>("session");
    return stored && this.#lives(stored) ? stored : undefined;
  }

  #lives({ beganMs, seenMs }: Session): boolean {
    const nowMs = this.#now();
    return nowMs - seenMs < IDLE_MS && nowMs - beganMs < LONGEST_MS && nowMs >= beganMs;
  }

  #begin(): Session {
    const nowMs = this.#now();
    return { id: newTraceId(), randomness: newRandomness(), beganMs: nowMs, seenMs: nowMs };
  }
}
