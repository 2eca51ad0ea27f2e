/** The edge over HTTP: no header and no body type that would cost a preflight; everything volatile is in the query. */

import type { Body } from "./batch.ts";
import type { Clock } from "./clock.ts";

/** A client gives up after this long; the edge's bound on the clock relies on it. */
const GIVE_UP_MS = 10_000;
/** Of keepalive requests in flight: browsers allow a page 64 KiB and about nine. */
const KEEPALIVE_BYTES = 60_000;
const KEEPALIVE_REQUESTS = 8;

/** What came of an attempt. */
export interface Reply {
  /** 0: no answer, or a redirect. */
  status: number;
  /** Two headers as they came. */
  retryAfter?: string | null;
  date?: string | null;
}

export class Edge {
  readonly #base: string;
  readonly #key: string;
  readonly #clock: Clock;
  #keptAlive = 0;
  #keptAliveBytes = 0;

  constructor(url: string, key: string, clock: Clock) {
    this.#base = `${new URL(url, location.href).href.replace(/\/+$/, "")}/v1/`;
    this.#key = key;
    this.#clock = clock;
  }

  owns(url: string): boolean {
    return url.startsWith(this.#base);
  }

  /** `GET /v1/config`. Rejects without an answer. */
  config(etag: string): Promise<Response> {
    const { deviceMemory, hardwareConcurrency } = navigator as Navigator & { deviceMemory?: number };
    const address = this.#address("config", {
      ...(etag && { etag }),
      clock: "1",
      ...(deviceMemory && { memory_mb: `${deviceMemory * 1024}` }),
      ...(hardwareConcurrency && { cores: `${hardwareConcurrency}` }),
    });
    return this.#fetch(address, {});
  }

  /**
   * One attempt, stamped anew. Never rejects.
   *
   * @param leaving the page may end before the answer
   * @returns nothing when the browser took the batch and will not tell what came of it, false when it refused it
   */
  async post(batch: Body, leaving = false): Promise<Reply | undefined | false> {
    // A browser may send it later than a client gives up. Where an anchor says more than the stamp, nothing is lost by that.
    const background = leaving && this.#clock.anchor(batch.epoch, batch.nearUs) !== undefined;
    const stamp = this.#clock.stamp(batch.epoch, batch.nearUs, batch.anchor, background);
    const sentUs = Number(stamp.s);
    const address = this.#address("batches", stamp);
    const keepalive = this.#mayKeepAlive(batch.bytes);
    if (leaving && !keepalive) return beacon(address, batch) ? undefined : false;
    try {
      const answer = await this.#fetch(address, { method: "POST", body: batch.body, keepalive }, batch.bytes);
      const answeredUs = this.#clock.nowUs();
      const [retryAfter, date] = ["Retry-After", "Date"].map((name) => answer.headers.get(name));
      const { received_us: receivedUs, replied_us: repliedUs } = await answer.json().catch(() => ({}));
      if (answer.ok && receivedUs && repliedUs) {
        const timed = timing(address);
        this.#clock.answered(timed?.requestUs ?? sentUs, timed?.responseUs ?? answeredUs, receivedUs, repliedUs);
      }
      return { status: answer.status, retryAfter: retryAfter!, date: date! };
    } catch {
      return { status: 0 };
    }
  }

  #address(path: string, parameters: Record<string, string>): string {
    return `${this.#base}${path}?${new URLSearchParams({ key: this.#key, ...parameters })}`;
  }

  #mayKeepAlive(bytes: number): boolean {
    return (
      "keepalive" in Request.prototype &&
      this.#keptAlive < KEEPALIVE_REQUESTS &&
      this.#keptAliveBytes + bytes <= KEEPALIVE_BYTES
    );
  }

  async #fetch(address: string, init: RequestInit, bytes = 0): Promise<Response> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), GIVE_UP_MS);
    const kept = init.keepalive ? 1 : 0;
    this.#keptAlive += kept;
    this.#keptAliveBytes += kept * bytes;
    try {
      return await fetch(address, { ...init, credentials: "omit", redirect: "manual", signal: abort.signal });
    } finally {
      clearTimeout(timer);
      this.#keptAlive -= kept;
      this.#keptAliveBytes -= kept * bytes;
    }
  }
}

function beacon(address: string, batch: Body): boolean {
  try {
    return navigator.sendBeacon(address, batch.body);
  } catch {
    return false;
  }
}

/** When the request's head was written and the answer's first byte came, where the browser has noted it already. */
function timing(address: string): { requestUs: number; responseUs: number } | undefined {
  const [entry] = performance.getEntriesByName(address) as PerformanceResourceTiming[];
  if (!entry?.requestStart) return undefined;
  return { requestUs: Math.floor(entry.requestStart * 1000), responseUs: Math.ceil(entry.responseStart * 1000) };
}
