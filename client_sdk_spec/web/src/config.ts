/** What the edge says of sampling (`CONFIG.md`): asked for, checked, kept. */

import type { Clock } from "./clock.ts";
import type { Memory } from "./memory.ts";

/** What a client that was told nothing may leave out: nothing. */
const EVERYTHING: Config = {
  send: true,
  th: "0",
  routes: new Map(),
  always: [],
  slowMs: Infinity,
  slowRoutesMs: new Map(),
};
const TTL_S = 300;
const DAY_MS = 86_400_000;

export interface Config {
  /** False: nothing may be sent. */
  send: boolean;
  /** The threshold of every route not in `routes`: 1 to 6 hex digits. */
  th: string;
  routes: ReadonlyMap<string, string>;
  /** Strata that are sent whatever the threshold: `error`, `slow`, `reported`. */
  always: readonly string[];
  slowMs: number;
  slowRoutesMs: ReadonlyMap<string, number>;
}

/** An answer as it is kept from page to page. */
interface Kept {
  etag: string;
  body: string;
  /** When it was last told or confirmed, by the wall clock. */
  atMs: number;
}

/** The answer's meaning; nothing of a version or shape that is not known. */
export function parse(body: string): (Config & { ttlS: number }) | undefined {
  try {
    const { v, send, ttl_s: ttlS = TTL_S, sampling = {}, slow = {} } = JSON.parse(body);
    const thresholds = Object.entries<string>(sampling.routes ?? {});
    const th: string = sampling.th ?? "0";
    if (v !== 1 || ![th, ...thresholds.map(([, each]) => each)].every((each) => /^[0-9a-f]{1,6}$/.test(each))) return;
    return {
      send: send !== false,
      th,
      routes: new Map(thresholds),
      always: sampling.always ?? [],
      slowMs: slow.default_ms ?? Infinity,
      slowRoutesMs: new Map(Object.entries<number>(slow.routes_ms ?? {})),
      ttlS: Math.max(Number(ttlS) || TTL_S, 1),
    };
  } catch {
    return;
  }
}

/** Whether the edge signed the body; false where the browser cannot tell. */
export async function verified(body: Uint8Array<ArrayBuffer>, header: string | null, publicKey: string): Promise<boolean> {
  const bytes = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  try {
    const signature = bytes(/ed25519=([^;\s]+)/.exec(header ?? "")![1]!);
    const key = await crypto.subtle.importKey("raw", bytes(publicKey), "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, signature, body);
  } catch {
    return false;
  }
}

/** The configuration of a page. Asks when it is looked at and due, so that a page that does nothing asks nothing. */
export class Configuration {
  readonly #ask: (etag: string) => Promise<Response>;
  readonly #clock: Clock;
  readonly #memory: Memory;
  readonly #publicKey: string | undefined;
  readonly #random: () => number;
  #kept: Kept | undefined;
  #config: Config = EVERYTHING;
  #ttlS = TTL_S;
  /** When to ask again, by the monotonic clock. */
  #dueUs = 0;
  #asking = false;

  /**
   * @param ask `GET /v1/config` with this ETag; may reject
   * @param memory where an answer is kept for the next page
   */
  constructor(
    ask: (etag: string) => Promise<Response>,
    clock: Clock,
    memory: Memory,
    publicKey: string | undefined,
    random: () => number,
  ) {
    this.#ask = ask;
    this.#clock = clock;
    this.#memory = memory;
    this.#publicKey = publicKey;
    this.#random = random;
    const kept = memory.read<Kept>("config");
    if (kept) this.#take(kept);
    const freshMs = kept ? this.#ttlS * 1000 - Math.abs(Date.now() - kept.atMs) : 0;
    this.#dueUs = clock.nowUs() + Math.max(freshMs, 0) * 1000;
  }

  /** What holds now; everything is sent when the edge has not said otherwise for a day. */
  current(): Config {
    this.refresh();
    return this.#kept && Math.abs(Date.now() - this.#kept.atMs) < DAY_MS ? this.#config : EVERYTHING;
  }

  /** Whether an answer came lately: then the edge is within reach. */
  get fresh(): boolean {
    return this.#kept !== undefined && this.#clock.nowUs() < this.#dueUs;
  }

  /** Asks if it is time to. */
  refresh(): void {
    if (this.#asking || this.#clock.nowUs() < this.#dueUs) return;
    this.#asking = true;
    this.#exchange()
      .catch(() => undefined)
      .finally(() => {
        this.#asking = false;
        this.#dueUs = this.#clock.nowUs() + this.#ttlS * (1 + this.#random() / 10) * 1_000_000;
      });
  }

  async #exchange(): Promise<void> {
    const sentUs = this.#clock.nowUs();
    const answer = await this.#ask(this.#kept?.etag ?? "");
    const answeredUs = this.#clock.nowUs();
    const [receivedUs, repliedUs] = ["Received", "Replied"].map((name) => Number(answer.headers.get(`Firsthop-${name}-Us`)));
    if (receivedUs && repliedUs) this.#clock.answered(sentUs, answeredUs, receivedUs, repliedUs);
    if (answer.status === 304 && this.#kept) this.#keep({ ...this.#kept, atMs: Date.now() });
    if (answer.status !== 200) return;
    const body = new Uint8Array(await answer.arrayBuffer());
    if (this.#publicKey && !(await verified(body, answer.headers.get("Firsthop-Signature"), this.#publicKey))) return;
    const kept = { etag: answer.headers.get("ETag") ?? "", body: new TextDecoder().decode(body), atMs: Date.now() };
    if (this.#take(kept)) this.#keep(kept);
  }

  #keep(kept: Kept): void {
    this.#kept = kept;
    this.#memory.write("config", kept);
  }

  #take(kept: Kept): boolean {
    const config = parse(kept.body);
    if (!config) return false;
    this.#kept = kept;
    this.#config = config;
    this.#ttlS = config.ttlS;
    return true;
  }
}
