import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { beforeEach, test } from "node:test";

import { Clock } from "../src/clock.ts";
import { Configuration, parse, verified } from "../src/config.ts";
import { Memory } from "../src/memory.ts";
import { Sessions } from "../src/session.ts";
import { json } from "./vectors.ts";
import { settled } from "./world.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const START_MS = 1_790_000_000_000;
const ANSWER = JSON.stringify(json("sampling.json").config);

/** `localStorage` as far as the SDK uses it: what is kept are its own keys. */
class Kept {
  getItem(key: string): string | null {
    return Object.hasOwn(this, key) ? (this as Record<string, any>)[key] : null;
  }
  setItem(key: string, value: string): void {
    (this as Record<string, any>)[key] = value;
  }
  removeItem(key: string): void {
    delete (this as Record<string, any>)[key];
  }
}

let nowMs = START_MS;
beforeEach(({ mock }: any) => {
  nowMs = START_MS;
  mock.method(Date, "now", () => nowMs);
  Object.defineProperty(globalThis, "localStorage", { value: new Kept(), configurable: true });
});

test("what is written outlives the page, apart for each app", () => {
  new Memory("a", true).write("x", { y: 1 });
  assert.deepEqual(new Memory("a", true).read("x"), { y: 1 });
  assert.equal(new Memory("b", true).read("x"), undefined);
});

test("nothing is written or read that is not allowed, and what was written is forgotten with the permission", () => {
  localStorage.setItem("theirs", "1");
  const memory = new Memory("a", true);
  memory.write("x", 1);
  const refused = new Memory("a", false);
  refused.write("x", 2);
  assert.equal(refused.read("x"), undefined);
  assert.equal(memory.read("x"), 1);
  memory.allow(false);
  memory.write("x", 3);
  assert.deepEqual(Object.keys(localStorage), ["theirs"]);
});

test("what cannot be read or written is none, and throws nothing", () => {
  localStorage.setItem("firsthop:a:x", "{not JSON");
  const memory = new Memory("a", true);
  assert.equal(memory.read("x"), undefined);
  Object.defineProperty(globalThis, "localStorage", {
    get: () => {
      throw new Error("SecurityError");
    },
    configurable: true,
  });
  assert.equal(memory.read("x"), undefined);
  memory.write("x", 1);
  memory.allow(false);
});

const sessions = (): Sessions => new Sessions(new Memory("a", true), Date.now);

test("pages within a quarter of an hour are one session, and share its randomness", () => {
  const first = sessions();
  first.touch();
  nowMs += 14 * MINUTE_MS;
  const second = sessions();
  assert.deepEqual(second.current, { ...first.current });
  second.touch();
  nowMs += 14 * MINUTE_MS;
  assert.equal(sessions().current.id, first.current.id);
});

test("a quarter of an hour without a span ends a session, and the next has another id and randomness", () => {
  const page = sessions();
  page.touch();
  const { id, randomness } = page.current;
  nowMs += 15 * MINUTE_MS - 1;
  assert.equal(page.touch(), false);
  nowMs += 15 * MINUTE_MS;
  assert.equal(page.touch(), true);
  assert.notEqual(page.current.id, id);
  assert.notEqual(page.current.randomness, randomness);
  assert.equal(sessions().current.id, page.current.id);
});

test("four hours end a session, however busy it is", () => {
  const page = sessions();
  const began: number[] = [];
  for (let minute = 0; minute <= 481; minute++) {
    if (page.touch()) began.push(minute);
    nowMs += MINUTE_MS;
  }
  assert.deepEqual(began, [240, 480]);
});

test("a session that another tab has begun meanwhile is joined", () => {
  const [one, other] = [sessions(), sessions()];
  one.touch();
  nowMs += 20 * MINUTE_MS;
  assert.equal(one.touch(), true);
  nowMs += MINUTE_MS;
  assert.equal(other.touch(), true);
  assert.equal(other.current.id, one.current.id);
});

test("a session from a wall clock that was set back is over", () => {
  const page = sessions();
  page.touch();
  nowMs -= DAY_MS;
  assert.equal(page.touch(), true);
});

test("an answer is read as the vectors write it", () => {
  const config = parse(ANSWER)!;
  assert.deepEqual(
    [config.send, config.th, config.routes.get("GET api.shop.example/items/{id}"), config.always],
    [true, "8", "f", ["error", "slow", "reported"]],
  );
  assert.deepEqual([config.slowMs, config.slowRoutesMs.get("GET api.shop.example/cart"), config.ttlS], [3000, 410, 300]);
});

for (const [what, body] of Object.entries({
  "that is no JSON": "<html>",
  "of another version": '{"v": 2}',
  "with a threshold that is none": '{"v": 1, "sampling": {"th": "xyz"}}',
  "with a threshold in capitals": '{"v": 1, "sampling": {"th": "A"}}',
  "with a route's threshold that is too fine": '{"v": 1, "sampling": {"th": "8", "routes": {"GET a/": "1234567"}}}',
  "that is null": "null",
})) {
  test(`an answer ${what} is ignored`, () => {
    assert.equal(parse(body), undefined);
  });
}

/** A page, and an edge that is asked by it. */
class Page {
  us = 1_000_000;
  chance = 0;
  asked: string[] = [];
  answer: () => Response = () => new Response(ANSWER, { headers: { ETag: '"1"' } });
  clock = new Clock(() => this.us, () => nowMs * 1000, () => "e0");
  config: Configuration;

  constructor(publicKey?: string, memory = new Memory("a", true)) {
    const ask = async (etag: string): Promise<Response> => {
      this.asked.push(etag);
      return this.answer();
    };
    this.config = new Configuration(ask, this.clock, memory, publicKey, () => this.chance);
  }

  async pass(ms: number): Promise<void> {
    this.us += ms * 1000;
    nowMs += ms;
    this.config.refresh();
    await settled();
  }
}

test("before the first answer everything is sent", () => {
  const { send, th } = new Page().config.current();
  assert.deepEqual([send, th], [true, "0"]);
});

test("the edge is asked at once, and again after the time it said and up to a tenth", async () => {
  const page = new Page();
  page.chance = 1;
  await page.pass(0);
  await page.pass(300_000 * 1.1 - 1);
  assert.deepEqual(page.asked, [""]);
  await page.pass(2);
  assert.deepEqual(page.asked, ["", '"1"']);
  assert.equal(page.config.current().th, "8");
});

test("the next page holds what this one was told, and asks when it is due", async () => {
  await new Page().pass(0);
  nowMs += 200_000;
  const next = new Page();
  assert.equal(next.config.current().th, "8");
  await next.pass(99_000);
  assert.deepEqual(next.asked, []);
  await next.pass(1_000);
  assert.deepEqual(next.asked, ['"1"']);
});

test("a configuration that nobody confirms for a day holds no more", async () => {
  const page = new Page();
  await page.pass(0);
  page.answer = () => new Response("busy", { status: 503 });
  await page.pass(DAY_MS - 1);
  assert.equal(page.config.current().th, "8");
  await page.pass(1);
  assert.equal(page.config.current().th, "0");
});

test("one that is confirmed with 304 holds on", async () => {
  const page = new Page();
  await page.pass(0);
  page.answer = () => new Response(null, { status: 304 });
  await page.pass(DAY_MS - 1);
  await page.pass(1);
  assert.equal(page.config.current().th, "8");
});

test("an edge that cannot be asked is asked again later, and throws nothing", async () => {
  const page = new Page();
  page.answer = () => {
    throw new TypeError("Failed to fetch");
  };
  await page.pass(0);
  await page.pass(299_000);
  await page.pass(1_000);
  assert.equal(page.asked.length, 2);
});

test("the server's times make an anchor, and the edge is known to be within reach", async () => {
  const page = new Page();
  assert.equal(page.config.fresh, false);
  const headers = { "Firsthop-Received-Us": "1790000000000100", "Firsthop-Replied-Us": "1790000000000200" };
  page.answer = () => {
    page.us += 1_000;
    return new Response(ANSWER, { headers });
  };
  await page.pass(0);
  assert.equal(page.clock.rttUs, 900);
  assert.equal(page.config.fresh, true);
});

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const KEY = publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("base64");
const signature = (body: string): string =>
  `keyid=0123456789abcdef; ed25519=${sign(null, Buffer.from(body), privateKey).toString("base64")}`;

test("a signature holds over the very bytes, and nothing else does", async () => {
  const bytes = new TextEncoder().encode(ANSWER);
  assert.equal(await verified(bytes, signature(ANSWER), KEY), true);
  assert.equal(await verified(new TextEncoder().encode(`${ANSWER} `), signature(ANSWER), KEY), false);
  for (const header of [null, "", "ed25519=", "ed25519=!", signature(ANSWER).slice(0, -9)]) {
    assert.equal(await verified(bytes, header, KEY), false);
  }
  assert.equal(await verified(bytes, signature(ANSWER), "not a key"), false);
});

test("with a public key only a signed configuration is taken", async () => {
  const page = new Page(KEY);
  await page.pass(0);
  assert.equal(page.config.current().th, "0");
  page.answer = () => new Response(ANSWER, { headers: { "Firsthop-Signature": signature(ANSWER) } });
  await page.pass(300_000);
  assert.equal(page.config.current().th, "8");
});
