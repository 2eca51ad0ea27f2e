/**
 * How a span can end, what is noticed about one, and why a client drops one: a sentence for each, and what to do about it.
 * `ingest/outcome.py` has the words; a test compares the two, so that none is missing.
 */

export interface Meaning {
  name: string;
  meaning: string;
  /** What its owner can do; left out where nothing is to be done. */
  remedy?: string;
}

export const OUTCOMES: Record<string, Meaning> = {
  kept: { name: "Kept", meaning: "Counted, and stored whole as part of the fair sample." },
  counted_only: { name: "Counted", meaning: "Counted in every figure; the sampler did not choose it." },
  duplicate: {
    name: "Sent again",
    meaning: "Its batch had been stored before: a retry after an answer that got lost. Counted once, the first time.",
    remedy: "Nothing, while it is rare. If it is not, answers do not reach clients: look at proxies and their time-outs.",
  },
  "rejected:invalid_id": {
    name: "No valid id",
    meaning: "Trace or span id missing, of the wrong length or all zeros.",
    remedy: "Make ids of 16 and 8 random bytes; run firsthop conformance against the client.",
  },
  "rejected:invalid_time": {
    name: "No valid time",
    meaning: "Start or duration missing, or no number that a time can have.",
    remedy: "Look for another unit: start and duration are in microseconds, OTLP’s in nanoseconds.",
  },
  "rejected:negative_duration": {
    name: "Ends before it starts",
    meaning: "Its duration is below zero.",
    remedy: "Measure durations by the monotonic clock; the wall clock is set while a request is on its way.",
  },
  "rejected:too_long": {
    name: "Too long",
    meaning: "It lasted longer than 24 hours.",
    remedy: "A span was left open, or the device slept meanwhile: end spans when the app leaves the screen.",
  },
  "rejected:future": {
    name: "In the future",
    meaning: "It starts more than a minute ahead of the server’s clock, after correction.",
    remedy: "Send the stamps of the clock with each attempt, so that a device’s wrong clock can be put right.",
  },
  "rejected:too_old": {
    name: "Too old",
    meaning: "It started before what retention holds.",
    remedy: "Let clients drop what waited offline for longer, or keep spans for more days.",
  },
  "rejected:invalid_name": {
    name: "No name",
    meaning: "It has no name, or one that is not text.",
    remedy: "Give every span a name, such as method and route.",
  },
  counted_no_consent: {
    name: "Counted without identifiers",
    meaning: "The user has not agreed to more: in every figure, in no trace.",
  },
  "rejected:no_consent": {
    name: "No consent",
    meaning: "The user has not agreed even to be counted.",
    remedy: "It is meant so. The policy says what is taken from those who have not agreed.",
  },
  not_sampled: {
    name: "Backend, not chosen",
    meaning: "A backend’s span that the sampler did not choose. It is in no figure about clients.",
  },
};

/** What a note is about: the panel it is shown in. */
export type NoteKind = "clock" | "phase" | "repair" | "left_out" | "sampling" | "sketch" | "export";

export const NOTES: Record<string, Meaning & { kind: NoteKind }> = {
  clock_a: { kind: "clock", name: "A, both ways", meaning: "Anchored by an answer of the server in the same run of the clock: bounded before and after." },
  clock_b: { kind: "clock", name: "B, one way", meaning: "Bounded by when it was sent: off by the network’s delay at most." },
  clock_c: { kind: "clock", name: "C, older anchor", meaning: "Anchored in an earlier run of the clock." },
  clock_d: { kind: "clock", name: "D, bridged", meaning: "Carried over the device’s sleep, or over a step of its clock." },
  clock_e: {
    kind: "clock",
    name: "E, wall clock",
    meaning: "By the device’s wall clock alone, however wrong it is.",
    remedy: "Send batches with a send stamp: the native format and this project’s SDKs do, OTLP and Faro cannot.",
  },
  clock_f: {
    kind: "clock",
    name: "F, received",
    meaning: "By the time of receipt alone: what waited offline stands at the end of its wait.",
    remedy: "Send batches with a send stamp and a clock that is monotonic.",
  },
  clock_conflict: {
    kind: "clock",
    name: "Bounds contradict",
    meaning: "The two bounds on its clock contradicted each other; the anchor was left out, the grade fell.",
    remedy: "Name the clock’s epoch anew after a reboot and after sleep.",
  },
  phase_negative: {
    kind: "phase",
    name: "Phase below zero",
    meaning: "A phase ended before it began; it became unknown.",
    remedy: "Leave out a phase whose ends come from two clocks.",
  },
  phase_too_long: {
    kind: "phase",
    name: "Phase longer than its span",
    meaning: "It became unknown.",
    remedy: "Take span and phases from the same request: retries and redirects have several.",
  },
  phases_exceed: {
    kind: "phase",
    name: "Phases longer than the span",
    meaning: "Together they were longer than their span; those measured became unknown.",
    remedy: "Look for one that is counted twice, such as TLS within TCP.",
  },
  phase_impossible: {
    kind: "phase",
    name: "Impossible phase",
    meaning: "TLS over plain http, TCP under HTTP/3, a first byte where no answer came; it became unknown.",
    remedy: "Say reused or unknown where nothing was measured, never 0.",
  },
  ttfb_interim: {
    kind: "phase",
    name: "First byte of an interim answer",
    meaning: "It was that of a 103, and the browser does not tell when the final answer began; the phase is unknown.",
  },
  server_time_exceeds: {
    kind: "phase",
    name: "Server slower than the wait",
    meaning: "The server said to have taken longer than the client waited for it; the server’s time is unknown.",
    remedy: "Let the server tell its time before it starts to stream, and in milliseconds.",
  },
  threshold_forged: {
    kind: "sampling",
    name: "Sampling threshold refuted",
    meaning: "The trace’s own randomness belies the threshold that its client declared; it was left out.",
    remedy: "Sample by the trace’s randomness (W3C level 2), not by another chance.",
  },
  threshold_clamped: {
    kind: "sampling",
    name: "Weight cut",
    meaning: "The client’s threshold would have made it stand for more spans than allowed.",
    remedy: "Let the client keep more.",
  },
  stratum_thinned: {
    kind: "sampling",
    name: "Failed or slow, not all kept",
    meaning: "Errors, slow and reported spans alone exceeded the budget, and were sampled. Figures count all of them.",
    remedy: "Raise the app’s budget, or find what fails so often.",
  },
  trace_full: {
    kind: "sampling",
    name: "No room in its trace",
    meaning: "Chosen by the sampler, but its trace holds as many spans as one may. Figures count it.",
    remedy: "Begin a trace anew for each page or screen.",
  },
  trace_renamed: {
    kind: "sampling",
    name: "Trace renamed",
    meaning: "The edge gave its trace an id of its own, as the app’s settings ask for.",
  },
  weighted: {
    kind: "sampling",
    name: "Stands for others",
    meaning: "Its client sampled others away and sends no sketches of them: figures of the app are estimates.",
    remedy: "Let clients send all spans, or sketches of those they leave out.",
  },
  unsampled: {
    kind: "sampling",
    name: "Had no chance",
    meaning: "Counted, and had no chance to be sampled: the rate of its kind was 0. Estimates lack it.",
    remedy: "Raise the rate or the budget that the app sets.",
  },
  sketched: { kind: "sketch", name: "In sketches", meaning: "Summarised by its client instead of sent; in every figure, not among the spans received." },
  sketch_remapped: {
    kind: "sketch",
    name: "In sketches with other buckets",
    meaning: "Counted; its percentiles have the error of both kinds of buckets, up to 6 %.",
    remedy: "Use the buckets of the specification in the client.",
  },
  sketch_future: {
    kind: "sketch",
    name: "In sketches of the future",
    meaning: "Not counted: the sketch is of a time ahead of the server’s clock.",
    remedy: "Close sketches by a clock that the server’s answers correct.",
  },
  sketch_too_old: {
    kind: "sketch",
    name: "In sketches too old",
    meaning: "Not counted: the sketch is of a time before what retention holds.",
    remedy: "Let clients drop sketches that waited offline for longer.",
  },
  sketch_no_consent: { kind: "sketch", name: "In sketches, no consent", meaning: "Not counted: somebody has not agreed even to that." },
  sketch_of_backend: {
    kind: "sketch",
    name: "In sketches of a backend",
    meaning: "Not counted: they came with a server key, and backends are in no figure about clients.",
    remedy: "Give the client a client key.",
  },
  export_dropped: {
    kind: "export",
    name: "Not sent on, too many waited",
    meaning: "Stored here; the tracing backend was too slow to take it.",
    remedy: "See whether the tracing backend keeps up.",
  },
  export_refused: {
    kind: "export",
    name: "Not sent on, refused",
    meaning: "Stored here; the tracing backend refused it for good.",
    remedy: "See the exporter’s log for the backend’s reason.",
  },
  repaired_faro_tls_on_http: { kind: "repair", name: "TLS where there was none", meaning: "Faro gave TLS a duration over plain http; the phase is reused." },
  repaired_faro_opaque: {
    kind: "repair",
    name: "Hidden timing written as 0",
    meaning: "Faro wrote 0 for phases that the browser hides; they are unknown.",
    remedy: "Answer with Timing-Allow-Origin, and browsers tell.",
  },
  repaired_faro_tcp_with_tls: { kind: "repair", name: "TLS within TCP", meaning: "Faro counted TLS as a part of TCP; it was taken out." },
  repaired_faro_rounded: { kind: "repair", name: "Rounding", meaning: "Faro’s whole milliseconds added up to more than the request; the longest phase was cut." },
  repaired_faro_twice: { kind: "repair", name: "Told twice", meaning: "Faro sends the request another way, too; this one is an operation, the other is counted." },
  sent_twice: { kind: "left_out", name: "Event that repeats a span", meaning: "Faro tells it another way, too." },
  not_waited_for: { kind: "left_out", name: "Page nobody waited for", meaning: "Out of the back/forward cache, or loaded before the user asked." },
  load_unfinished: { kind: "left_out", name: "Page left while it loaded", meaning: "It has no end to measure to." },
  own_post: { kind: "left_out", name: "Telemetry about telemetry", meaning: "What a client sent to this edge, told by its own instrumentation." },
};

/** Why a client drops a span before sending it. */
export const DROPS: Record<string, Meaning> = {
  before_send: { name: "By the app’s own hook", meaning: "The app’s beforeSend said no." },
  consent: { name: "No consent", meaning: "The user has not agreed, or has withdrawn." },
  expired: {
    name: "Waited too long",
    meaning: "It waited on the device for longer than it is of use.",
    remedy: "Users were offline for long; if many were, look at whether the edge could be reached.",
  },
  network_error: {
    name: "Could not be sent",
    meaning: "No attempt got through, and nothing was left to keep it in.",
    remedy: "Look at whether the edge’s name, certificate and CORS work from outside.",
  },
  queue_overflow: {
    name: "Queue full",
    meaning: "More waited on the device than it keeps; ordinary spans go first, errors last.",
    remedy: "Send more often, or sample on the client with sketches of the rest.",
  },
  rate_limited: {
    name: "Asked to slow down",
    meaning: "The client was told to wait, and did.",
    remedy: "Raise the edge’s limits for the app, or lower what each client sends.",
  },
  rejected: {
    name: "Batch refused",
    meaning: "The edge refused the whole batch: its key, its size or its format.",
    remedy: "The edge’s metric firsthop_refused has the reason; run firsthop conformance against the client.",
  },
  sampled: { name: "Sampled away", meaning: "The client’s own sampling left it out; weights or sketches stand for it." },
  storage_full: {
    name: "No room on the device",
    meaning: "The device’s storage was full, or the browser’s quota.",
    remedy: "Lower what the client may keep on disk.",
  },
  too_large: {
    name: "Too large",
    meaning: "One span alone exceeded what a request may hold.",
    remedy: "Keep bodies and long texts out of attributes.",
  },
  other: { name: "Other reasons", meaning: "A reason that this server does not know." },
};

const MEANT_DROPS = ["before_send", "consent", "sampled"];

/** Whether somebody chose that it be dropped, so that nothing is wrong. */
export function isMeant(reason: string): boolean {
  return MEANT_DROPS.includes(reason);
}
