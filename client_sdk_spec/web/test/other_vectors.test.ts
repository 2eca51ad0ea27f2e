import assert from "node:assert/strict";
import { test } from "node:test";

import { Clock } from "../src/clock.ts";
import { parse } from "../src/config.ts";
import { Drops } from "../src/drops.ts";
import { Queue } from "../src/queue.ts";
import { Rank, decide } from "../src/sample.ts";
import type { Span } from "../src/span.ts";
import { json, span as spanOf } from "./vectors.ts";
import { START_MS, batchOf } from "./world.ts";

const RANKS: Record<string, number> = { ...Rank, sketches: 2 };
const sampling = json("sampling.json");

/** A configuration of one rate. */
const rate = (th: string) => parse(JSON.stringify({ v: 1, sampling: { th } }))!;
const completed = (given: object): Span => ({ spanId: "", name: "", startUs: 0, durationUs: 0, ...spanOf(given) }) as Span;

for (const { meaning, trace_id: traceId, rv, th, kept } of sampling.decisions) {
  if (th.length > 6) continue; // no configuration is so fine
  test(`a trace is kept or left: ${meaning}`, () => {
    assert.equal(decide(rate(th), completed({ trace_id: traceId }), rv || undefined).send, kept);
  });
}

for (const [spans, config] of [["spans", "config"], ["spans_silent", "config_silent"]] as const) {
  for (const { meaning, route, span, rv, reported, expected } of sampling[spans]) {
    if (reported || config === "config_silent") continue; // the client's, not the decision's: below, and in Chromium
    test(`a span is sent or left: ${meaning}`, () => {
      const [method, host, template] = route.split(/ |(?=\/)(?<=example)/);
      const url = route ? `https://${host}${template.replaceAll(/[{}]/g, "")}` : undefined;
      const given = { ...completed(span), ...(url && { url, method, route: template }) };
      const { send, rank, threshold } = decide(parse(JSON.stringify(sampling[config]))!, given, rv);
      assert.equal(send, expected.sent);
      assert.equal(send ? (threshold ?? "") : "", expected.threshold);
      assert.equal(rank, RANKS[expected.rank]);
    });
  }
}

for (const { th, kept } of sampling.sessions.rates) {
  test(`sessions are kept as wholes, at ${th}`, () => {
    const span = completed({ trace_id: "f".repeat(32) });
    assert.deepEqual(sampling.sessions.rv.filter((rv: string) => decide(rate(th), span, rv).send), kept);
  });
}

for (const [name, vector] of Object.entries<any>(json("eviction.json").queues)) {
  test(`the queue makes room as the vector has it, ${name}: ${vector.meaning}`, async () => {
    let nowUs = 0;
    const drops = new Drops();
    const now = () => START_MS + nowUs / 1000;
    const queue = new Queue(now, (batch, reason) => drops.lost(batch, reason), vector.capacity);
    const put = new Map<string, { spans: number; dropped: object }>();
    for (const { at_us: atUs, put: sealed, send, answer, fate } of vector.events) {
      nowUs = atUs;
      if (sealed) {
        const { id, bytes, spans, rank, sealed_us: sealedUs } = sealed;
        const batch = { ...batchOf(spans), id, bytes, rank: RANKS[rank] as Rank, sealedMs: START_MS + sealedUs / 1000 };
        put.set(id, batch);
        await queue.put(batch);
      }
      if (send) assert.equal((await queue.next())?.id, send);
      if (answer && fate === "later") queue.release(answer);
      if (answer && fate !== "later") await queue.remove(answer);
      if (fate === "rejected") drops.lost(put.get(answer) as never, "rejected");
    }
    const held: string[] = [];
    for (const id of vector.events.map((event: any) => event.send).filter(Boolean)) queue.release(id);
    for (let batch; (batch = await queue.next()); ) held.push(batch.id);
    assert.deepEqual(held, vector.expected.held);
    assert.deepEqual(drops.take(), vector.expected.dropped);
  });
}

for (const [name, vector] of Object.entries<any>(json("eviction.json").counters)) {
  test(`drops are counted as the vector has it, ${name}: ${vector.meaning}`, () => {
    const drops = new Drops();
    const told = new Drops();
    const sealed = new Map<string, any>();
    for (const event of vector.events) {
      if (event.drop) drops.add(event.drop, event.spans);
      if (event.seal) {
        const dropped = drops.take();
        assert.deepEqual(dropped, event.carries);
        sealed.set(event.seal, { spans: event.spans, dropped });
      }
      if (event.halve) {
        const [first, second] = event.halves;
        sealed.set(first.id, { ...first, dropped: sealed.get(event.halve).dropped });
        sealed.set(second.id, { ...second, dropped: {} });
      }
      if (event.end && event.fate === "accepted") told.lost({ spans: 0, dropped: sealed.get(event.end).dropped }, "sampled");
      else if (event.end && event.fate !== "later") drops.lost(sealed.get(event.end), event.fate);
    }
    assert.deepEqual([told.take(), drops.take()], [vector.expected.told, vector.expected.untold]);
  });
}

/** Whether wall − mono changes by what a clock that may stop takes for a sleep. */
function jumps({ begin, steps }: any): boolean {
  const ahead = [begin, ...steps].map(({ wall_us: wallUs, mono_us: monoUs }) => wallUs - monoUs);
  return ahead.some((us, step) => step > 0 && Math.abs(us - ahead[step - 1]!) > 250_000);
}

for (const [name, story] of Object.entries<any>(json("clock/stories.json").stories)) {
  if (story.counts_sleep && jumps(story)) continue; // no browser says that its clock counts sleep
  test(`the clock tells the story, ${name}: ${story.meaning}`, () => {
    let shown = story.begin;
    let epochs = 0;
    const clock = new Clock(
      () => shown.mono_us,
      () => shown.wall_us,
      () => `e${epochs++}`,
    );
    for (const step of story.steps) {
      shown = step;
      if (step.do === "sample") {
        clock.sample();
        assert.equal(clock.epoch, step.expected.epoch);
      }
      if (step.do === "seal") assert.deepEqual(clock.sealed(step.epoch ?? undefined), step.expected);
      if (step.do === "answered") clock.answered(step.sent_us, step.mono_us, step.received_us, step.replied_us);
      if (step.do === "stamp") {
        assert.deepEqual(clock.stamp(step.batch_epoch, step.mono_us, undefined, step.background), step.expected);
      }
    }
  });
}
