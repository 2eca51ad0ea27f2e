// Answers with known delays over TLS: one port speaks HTTP/1.1, one HTTP/2. Prints its two ports when both listen.
// usage: node timed_server.mjs <key.pem> <certificate.pem> <script of the page>
import { readFileSync } from "node:fs";
import http2 from "node:http2";
import https from "node:https";

const [key, cert, script] = process.argv.slice(2).map((path) => readFileSync(path));
// Timers may fire a little early by another clock than their own: the delays are lower bounds.
const EARLY_MS = 5;
const later = (ms, act) => (ms > 0 ? setTimeout(act, ms + EARLY_MS) : act());

const PAGE = '<!doctype html><title>phases</title><link rel="icon" href="data:,"><script src="/page.js"></script>';
const WORKER = `
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  if (event.request.url.includes("/by-worker")) {
    event.respondWith(new Promise((answer) => setTimeout(() => answer(new Response("worker")), 60)));
  }
});`;

/** `wait`: ms to the first byte; `rest`: ms from there to the last; `early`: a 103 first; `timing`: Server-Timing. */
function serve(request, response) {
  const url = new URL(request.url, "https://any.test");
  const asked = (name) => Number(url.searchParams.get(name) ?? 0);
  const headers = { "access-control-allow-origin": "*", "access-control-expose-headers": "server-timing" };
  const plain = (type, body) => response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(body);
  if (url.pathname === "/") return plain("text/html", PAGE);
  if (url.pathname === "/page.js") return plain("text/javascript", script);
  if (url.pathname === "/worker.js") return plain("text/javascript", WORKER);
  if (url.pathname === "/redirect") {
    return later(asked("wait"), () => response.writeHead(302, { location: url.searchParams.get("to") }).end());
  }
  if (url.pathname !== "/opaque") headers["timing-allow-origin"] = "*";
  if (asked("timing")) headers["server-timing"] = `app;dur=${asked("timing")}`;
  headers["cache-control"] = asked("cache") ? "max-age=600" : "no-store";
  if (asked("early")) response.writeEarlyHints({ link: "</page.js>; rel=preload; as=script" });
  later(asked("wait"), () => {
    response.writeHead(200, headers);
    response.write("x".repeat(1000));
    later(asked("rest"), () => response.end("y"));
  });
}

const servers = [https.createServer({ key, cert }, serve), http2.createSecureServer({ key, cert }, serve)];
await Promise.all(servers.map((server) => new Promise((done) => server.listen(0, "127.0.0.1", done))));
console.log(JSON.stringify(servers.map((server) => server.address().port)));
