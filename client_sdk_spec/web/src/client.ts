/** The SDK on a page: takes spans, holds them, and hands sealed batches to the sender. */

import { MOST_BYTES, MOST_SPANS, bytesOf, seal } from "./batch.ts";
import type { Body, Held, Sealed } from "./batch.ts";
import { Clock } from "./clock.ts";
import { Configuration } from "./config.ts";
import { agreed, strictest } from "./consent.ts";
import { Disk } from "./disk.ts";
import { Drops } from "./drops.ts";
import { Edge } from "./edge.ts";
import { newSpanId, newTraceId } from "./ids.ts";
import { Memory } from "./memory.ts";
import { begin } from "./operation.ts";
import type { Operation } from "./operation.ts";
import type { Consent, Options } from "./options.ts";
import { Queue } from "./queue.ts";
import type { DropReason, Recorder } from "./recorder.ts";
import { resource } from "./resource.ts";
import { Ring } from "./ring.ts";
import { decide } from "./sample.ts";
import { Sender } from "./send.ts";
import { Sessions } from "./session.ts";
import type { Attributes, Span } from "./span.ts";
import { alone, after, idle, watch } from "./surroundings.ts";
import { tidy } from "./tidy.ts";

/** What is held is sealed after this long. */
const FLUSH_MS = 30_000;
/** What is written of a batch whose page may be ending. */
const LEFT = "left:";
/** How often the clocks are read between spans. */
const SAMPLE_MS = 15_000;

/** What a page may ask of the SDK. No method throws. */
export interface Firsthop extends Recorder {
  /** Begins a span of the page's own; it is recorded when it ends. */
  span(name: string, attributes?: Attributes, parent?: { traceId: string; spanId: string }): Operation;
  /** The user has answered, or thought again. */
  setConsent(consent: Consent): void;
  /** The user reports a problem: sends what was sampled away before, too. */
  reportProblem(): void;
  /** Sends what is held. Resolves when it was answered or waits for a later attempt. */
  flush(): Promise<void>;
  /** Sends what is held, and watches nothing any more. */
  stop(): void;
}

export class Client implements Firsthop {
  readonly page = { traceId: newTraceId(), spanId: newSpanId() };
  readonly newTraceId = newTraceId;
  readonly newSpanId = newSpanId;
  readonly #options: Options;
  readonly #clock = new Clock(
    () => Math.floor(performance.now() * 1000),
    () => Date.now() * 1000,
    newSpanId,
  );
  readonly #drops = new Drops();
  readonly #memory: Memory;
  readonly #edge: Edge;
  readonly #config: Configuration;
  readonly #sessions: Sessions;
  readonly #queue: Queue;
  readonly #sender: Sender;
  readonly #stops: (() => void)[] = [];
  #consent: Consent | undefined;
  #session: string;
  #screen = "";
  #path = "";
  #held: Held[] = [];
  #heldBytes = 0;
  /** Whether a flush is on its way. */
  #flushing: (() => void) | undefined;
  /** Sampled away. */
  readonly #aside = new Ring();
  /** Until the user has answered. */
  readonly #unasked = new Ring();
  #stopped = false;

  constructor(options: Options) {
    this.#options = options;
    this.#consent = strictest(options.consent);
    this.#memory = new Memory(options.key, agreed(this.#consent));
    this.#edge = new Edge(options.url, options.key, this.#clock);
    this.#config = new Configuration(
      (etag) => this.#edge.config(etag),
      this.#clock,
      this.#memory,
      options.publicKey,
      Math.random,
    );
    this.#sessions = new Sessions(this.#memory, Date.now);
    this.#session = this.#sessions.current.id;
    const lost = this.#drops.lost.bind(this.#drops);
    this.#queue = new Queue(Date.now, lost);
    this.#sender = new Sender(this.#queue, this.#world(lost), this.#config.fresh);
    this.#watch();
    this.#openDisk();
  }

  #world(lost: Drops["lost"]): ConstructorParameters<typeof Sender>[1] {
    return {
      post: (batch, leaving) => this.#edge.post(batch, leaving),
      nowMs: () => performance.now(),
      random: Math.random,
      paused: () => !this.#config.current().send,
      after,
      alone: (work) => alone(`firsthop:${this.#options.key}`, work),
      lost,
      kept: (batch) => {
        const anchor = this.#clock.anchor(batch.epoch, batch.nearUs);
        return anchor ? { ...batch, anchor } : batch;
      },
      save: ({ body, ...batch }) => this.#memory.write(LEFT + batch.id, { ...batch, text: new TextDecoder().decode(body) }),
      saved: (id) => this.#memory.remove(LEFT + id),
    };
  }

  #watch(): void {
    for (const instrument of this.#options.instruments ?? []) {
      try {
        this.#stops.push(instrument(this, this.#options));
      } catch {
        // One that cannot watch here keeps no other from it.
      }
    }
    const ticker = setInterval(() => {
      if (document.visibilityState === "hidden") return;
      this.#clock.sample();
      void this.#config.refresh();
    }, SAMPLE_MS);
    this.#stops.push(
      () => clearInterval(ticker),
      watch({
        leave: () => this.#leave(),
        back: () => this.#clock.sample(),
        online: () => this.#sender.online(),
      }),
      idle(() => {
        void this.#config.refresh();
        void this.#collect().then(() => this.#sender.drain());
      }),
    );
  }

  /** Queues what pages left that ended before they could. */
  async #collect(): Promise<void> {
    for (const name of this.#memory.names(LEFT)) {
      const left = this.#memory.read<Sealed & { text: string }>(name);
      this.#memory.remove(name);
      if (!left?.id) continue;
      const { text, ...batch } = left;
      await this.#queue.put({ ...batch, body: new TextEncoder().encode(text) });
    }
  }

  #openDisk(): void {
    if (!agreed(this.#consent)) return;
    Disk.open(`firsthop:${this.#options.key}`).then(
      (disk) => agreed(this.#consent) && this.#queue.use(disk),
      () => undefined, // refused: what waits, waits in memory
    );
  }

  nowUs(): number {
    return this.#clock.nowUs();
  }

  owns(url: string): boolean {
    return this.#edge.owns(url);
  }

  recording(): boolean {
    return !this.#stopped && !this.#sender.off && this.#config.current().send && !this.#silent;
  }

  drop(reason: DropReason, count: number): void {
    this.#drops.add(reason, count);
  }

  setScreen(name: string): void {
    this.#screen = String(name);
  }

  followPath(path: string): void {
    this.#path = path;
  }

  span(name: string, attributes?: Attributes, parent?: { traceId: string; spanId: string }): Operation {
    return begin(this, name, attributes, parent);
  }

  record(span: Span): void {
    if (this.#stopped || this.#sender.off) return;
    try {
      this.#take(span);
    } catch {
      this.drop("rejected", 1); // no span at all, of a page that is not type-checked
    }
  }

  /** The user has not agreed, and the app wants nothing counted then. */
  get #silent(): boolean {
    return this.#options.withoutConsent === "hold" && this.#consent === "denied";
  }

  #take(given: Span): void {
    this.#clock.sample();
    if (this.#sessions.touch()) {
      void this.flush();
      this.#session = this.#sessions.current.id;
    }
    const config = this.#config.current();
    if (!config.send) return this.drop("sampled", 1);
    if (this.#silent) return this.drop("consent", 1);
    const screen = this.#screen || this.#path;
    const looked = this.#look(screen && !given?.screen ? { ...given, screen } : given);
    if (!looked) return this.drop("before_send", 1);
    const span = tidy(looked);
    if (!span) return this.drop("rejected", 1);
    const randomness = this.#options.sampleSessions ? { randomness: this.#sessions.current.randomness } : {};
    const { send, rank, ...threshold } = decide(config, span, randomness.randomness);
    const sent = { ...span, ...threshold, ...randomness };
    const held = { span: sent, rank, epoch: this.#clock.epochOf(span.startUs), bytes: bytesOf(sent) };
    if (!send) {
      this.drop("sampled", 1);
      this.#aside.push(held);
    } else if (this.#options.withoutConsent === "hold" && this.#consent === "pending") {
      this.drop("queue_overflow", this.#unasked.push(held));
    } else this.#hold(held);
  }

  /** The page's last look; one that fails is not passed by. */
  #look(span: Span): Span | null {
    try {
      return this.#options.beforeSend ? this.#options.beforeSend(span) : span;
    } catch {
      return null;
    }
  }

  #hold(held: Held): void {
    this.#held.push(held);
    this.#heldBytes += held.bytes;
    const full = this.#held.length >= MOST_SPANS || this.#heldBytes >= MOST_BYTES;
    if (full) this.#flushing?.();
    if (full || !this.#flushing) {
      this.#flushing = full ? idle(() => void this.flush()) : after(FLUSH_MS, () => void this.flush());
    }
  }

  /** @param reported because the user reported a problem */
  #seal(dropped: boolean, reported = false): Body[] {
    this.#flushing?.();
    this.#flushing = undefined;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    if (!this.#config.current().send) {
      this.drop("sampled", held.length);
      return [];
    }
    if (!held.length && !dropped) return [];
    const who = resource(this.#options, this.#consent, this.#session, reported);
    return seal(held, who, this.#clock, Date.now(), this.#drops.take());
  }

  async flush(): Promise<void> {
    await Promise.all(this.#seal(false).map((batch) => this.#sender.send(batch)));
  }

  /** The page is hidden, and nobody knows whether it comes back. */
  #leave(): void {
    if (this.#silent || this.#sender.off) return;
    this.#sender.leave(this.#seal(true));
    this.#sessions.write();
  }

  setConsent(consent: Consent): void {
    const before = this.#consent;
    const now = strictest(consent);
    if (now === before) return;
    void this.flush();
    this.#consent = now;
    this.#memory.allow(agreed(now));
    const unasked = this.#unasked.take();
    if (now === "denied") this.drop("consent", unasked.length);
    else unasked.forEach((held) => this.#hold(held));
    if (agreed(now)) {
      this.#sessions.write();
      this.#openDisk();
    } else if (agreed(before)) {
      this.#aside.take();
      this.#sessions.renew();
      this.#session = this.#sessions.current.id;
      void this.#queue.forget("consent");
    }
  }

  reportProblem(): void {
    this.#held.push(...this.#aside.take());
    for (const batch of this.#seal(false, true)) void this.#sender.send(batch);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const stop of this.#stops) stop();
    void this.flush().finally(() => this.#sender.stop());
  }
}
