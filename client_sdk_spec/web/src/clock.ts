/**
 * The clocks of a page (`WIRE.md`, Clocks; `clock.py` is the reference): epochs, `clock` maps, send stamps, anchors.
 *
 * `performance.now()` may stop while the device sleeps, so a change of wall − mono begins a new epoch. All in whole µs.
 */

/** A change of wall − mono beyond this, from sample to sample, is a sleep or a step, not drift. */
const STEP_US = 250_000;
/** How fast an anchor grows stale. */
const DRIFT_PPM = 100;
/** Epochs remembered beside the current one. */
const EPOCHS = 16;
/** Anchors kept of each: a batch that waited for hours is nearer to an earlier one. */
const ANCHORS = 8;

/** What an answer proved: at mono `atUs`, server time − mono was `offsetUs` ± `errUs`. */
export interface Anchor {
  offsetUs: number;
  errUs: number;
  atUs: number;
}

interface Epoch {
  beganUs: number;
  monoUs: number;
  wallUs: number;
  /** Change of wall − mono that ended the epoch before this one. */
  jumpUs: number;
  anchors: Anchor[];
  best?: Anchor;
}

const drift = (us: number): number => Math.floor((us * DRIFT_PPM) / 1_000_000);
const reach = (anchor: Anchor, monoUs: number): number => anchor.errUs + drift(Math.abs(monoUs - anchor.atUs));
const least = <T>(things: readonly T[], measure: (thing: T) => number): T =>
  things.reduce((best, thing) => (measure(thing) < measure(best) ? thing : best));

/** Both clocks of a page from its load on. */
export class Clock {
  /** The name of the current epoch. */
  epoch: string;
  /** The smallest round trip seen, without the server's own time. */
  rttUs: number | undefined;
  readonly #mono: () => number;
  readonly #wall: () => number;
  readonly #newName: () => string;
  /** In the order in which they began. */
  readonly #epochs = new Map<string, Epoch>();

  /**
   * @param mono the monotonic clock
   * @param wall the wall clock, since 1970
   * @param newName a name of an epoch, never given twice
   */
  constructor(mono: () => number, wall: () => number, newName: () => string) {
    this.#mono = mono;
    this.#wall = wall;
    this.#newName = newName;
    this.epoch = this.#begin(0);
  }

  nowUs(): number {
    return this.#mono();
  }

  /** Reads both clocks, and begins a new epoch where sleep may have passed. */
  sample(): void {
    const monoUs = this.#mono();
    const wallUs = this.#wall();
    const now = this.#now();
    const jumpUs = wallUs - monoUs - (now.wallUs - now.monoUs);
    if (Math.abs(jumpUs) > STEP_US) {
      this.epoch = this.#begin(jumpUs);
      for (const name of [...this.#epochs.keys()].slice(0, -EPOCHS - 1)) this.#epochs.delete(name);
      return;
    }
    now.monoUs = monoUs;
    now.wallUs = wallUs;
  }

  /** The epoch that a reading of the monotonic clock belongs to: the newest that had begun by then. */
  epochOf(monoUs: number): string {
    const names = [...this.#epochs.keys()].reverse();
    return names.find((name) => this.#epochs.get(name)!.beganUs <= monoUs) ?? names.pop()!;
  }

  /** The `clock` map of a batch sealed now. Of an older epoch both clocks are told as last seen in it. */
  sealed(epoch = this.epoch): Record<string, string | number> {
    this.sample();
    const { monoUs, wallUs } = this.#epochs.get(epoch) ?? this.#now();
    return { kind: "mono", epoch, mono_us: monoUs, wall_us: wallUs, steps: 0 };
  }

  /**
   * Query parameters for an attempt made now.
   *
   * @param batchEpoch the `epoch` in the batch's `clock` map
   * @param nearUs where on the monotonic clock the batch's spans are; the best anchor for there is sent
   * @param stored the anchor of that epoch, if it is one of an earlier page
   * @param background the attempt is left to the browser, and nobody knows when it is made
   */
  stamp(batchEpoch: string, nearUs: number, stored?: Anchor, background = false): Record<string, string> {
    this.sample();
    const now = this.#now();
    const own = this.anchor(batchEpoch, nearUs) ?? stored;
    const anchor = own ?? now.best;
    const oldEpoch = own && batchEpoch !== this.epoch;
    const bridgeUs = this.#bridge(batchEpoch);
    return {
      s: `${now.monoUs}`,
      w: `${now.wallUs}`,
      e: this.epoch,
      ...(this.rttUs !== undefined && { r: `${this.rttUs}` }),
      ...(background && { bg: "1" }),
      ...(anchor && { o: `${anchor.offsetUs}`, d: `${anchor.errUs}`, t: `${anchor.atUs}` }),
      ...(oldEpoch && { oe: batchEpoch }),
      ...(bridgeUs !== undefined && { b: `${bridgeUs}` }),
    };
  }

  /** The anchor of an epoch of this page that is best there, if it has any. */
  anchor(epoch: string, nearUs: number): Anchor | undefined {
    const then = this.#epochs.get(epoch);
    return then?.best && least([then.best, ...then.anchors], (anchor) => reach(anchor, nearUs));
  }

  /**
   * Makes an anchor of an answer, and keeps it if it is the better one now.
   *
   * @param sentUs the monotonic clock when the request was sent
   * @param answeredUs the same when the answer's first byte was there
   * @param receivedUs server time when the request had come
   * @param repliedUs server time when it was answered
   */
  answered(sentUs: number, answeredUs: number, receivedUs: number, repliedUs: number): void {
    this.sample();
    const now = this.#now();
    const passedUs = answeredUs - sentUs;
    const driftUs = drift(passedUs) + 1;
    const roundTripUs = passedUs - (repliedUs - receivedUs);
    // The device slept meanwhile, or the server's clock was set.
    if (sentUs < now.beganUs || roundTripUs < -driftUs) return;
    const rttUs = Math.max(roundTripUs, 0);
    this.rttUs = Math.min(this.rttUs ?? rttUs, rttUs);
    const anchor = {
      offsetUs: Math.floor((receivedUs + repliedUs - sentUs - answeredUs) / 2),
      errUs: Math.floor(rttUs / 2) + driftUs + 1, // + 1: for the halves
      atUs: answeredUs,
    };
    keep(now.anchors, anchor);
    if (!now.best || anchor.errUs <= reach(now.best, anchor.atUs)) now.best = anchor;
  }

  #now(): Epoch {
    return this.#epochs.get(this.epoch)!;
  }

  #begin(jumpUs: number): string {
    const name = this.#newName();
    const monoUs = this.#mono();
    this.#epochs.set(name, { beganUs: monoUs, monoUs, wallUs: this.#wall(), jumpUs, anchors: [] });
    return name;
  }

  /** Change of wall − mono from that epoch to this one; none over jumps of both signs, which may have hidden each other. */
  #bridge(batchEpoch: string): number | undefined {
    const passed = [...this.#epochs.keys()];
    const row = passed.indexOf(batchEpoch);
    const jumps = row < 0 ? [] : passed.slice(row + 1).map((name) => this.#epochs.get(name)!.jumpUs);
    const oneWay = jumps.every((us) => us > 0) || jumps.every((us) => us < 0);
    return jumps.length && oneWay ? jumps.reduce((sum, us) => sum + us) : undefined;
  }
}

/** Of more than `ANCHORS` one is left out, where they stand close or are poor; not the first nor the newest. */
function keep(anchors: Anchor[], anchor: Anchor): void {
  anchors.push(anchor);
  if (anchors.length <= ANCHORS) return;
  const worth = (row: number): number =>
    drift(anchors[row + 1]!.atUs - anchors[row - 1]!.atUs) - 2 * anchors[row]!.errUs;
  anchors.splice(least([...anchors.keys()].slice(1, -1), worth), 1);
}
