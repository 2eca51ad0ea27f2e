"""What a client did, judged by what it sent. Each judgement looks at one scenario; `SPEC.md` says `client:<name>`."""

from collections import Counter
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from client_sdk_spec.conformance import judge_retries
from client_sdk_spec.conformance.case import Case, some
from client_sdk_spec.conformance.receiver import AHEAD_US
from client_sdk_spec.conformance.verdicts import NotSeen, require
from client_sdk_spec.retry import fate_of
from client_sdk_spec.sampling import randomness, read

MOST_INFLATED = 1 << 20
MOST_SPANS = 1_000
PAGE_HEADERS = frozenset({"x-api-key", "authorization", "content-encoding", "idempotency-key"})
"""Headers that cost a page a preflight."""


def readable(case: Case) -> str:
    """Every body can be read."""
    some(case.attempts)
    faults = [attempt.fault for attempt in case.attempts if attempt.fault]
    require(not faults, f"{len(faults)} of {len(case.attempts)}: {faults[:1]}")
    return f"{len(case.attempts)} bodies"


def bounded(case: Case) -> str:
    """No batch is larger than a batch may be."""
    some(case.attempts)
    spans = max(len(attempt.batch.get("spans", ())) for attempt in case.attempts)
    size = max(len(attempt.body) for attempt in case.attempts)
    require(spans <= MOST_SPANS and size <= MOST_INFLATED, f"{spans} spans, {size} bytes inflated")
    return f"at most {spans} spans, {size} bytes inflated"


def same_bytes(case: Case) -> str:
    """The same batch id means the same bytes; another batch has another id."""
    bodies: dict[str, set[bytes]] = {}
    for attempt in some([attempt for attempt in case.attempts if attempt.batch]):
        bodies.setdefault(attempt.batch["id"], set()).add(attempt.body)
    changed = [batch_id for batch_id, found in bodies.items() if len(found) > 1]
    require(not changed, f"{len(changed)} of {len(bodies)} batches changed between attempts")
    return f"{len(bodies)} batches, {len(case.attempts)} attempts"


def spans_once(case: Case) -> str:
    """No span is in two batches that arrived, and each has ids of its own."""
    ids = [
        (span.get("trace_id"), span.get("span_id"))
        for attempt in case.stored.values()
        for span in attempt.batch["spans"]
    ]
    twice = [each for each, count in Counter(ids).items() if count > 1]
    require(not twice, f"{len(twice)} of {len(ids)} spans arrived in more than one batch")
    require(all(each is not None and int(each, 16) for pair in ids for each in pair), "a span without ids")
    return f"{len(ids)} spans"


def accounted(case: Case) -> str:
    """What was recorded arrived, or the client said that it was dropped, or the client was stopped."""
    arrived = sum(len(attempt.batch["spans"]) for attempt in case.stored.values())
    told = Counter[str]()
    for attempt in case.stored.values():
        told.update(attempt.batch.get("dropped", {}))
    total, recorded = arrived + sum(told.values()), case.scenario.spans
    note = f"{arrived} arrived, dropped {dict(told)}, of {recorded}"
    stopped = any(fate_of(max(attempt.act.status, 0)) == "stop" for attempt in case.attempts)
    require(total <= recorded if stopped else total == recorded, note)
    return note


def stamped_anew(case: Case) -> str:
    """Every attempt has a send stamp of its own, made when it was sent, with a batch sealed before."""
    last: dict[str, int] = {}
    for attempt in some(case.attempts):
        sent = attempt.query.get("s", "")
        require(sent.isdigit(), f"s is {sent!r}")
        batch_id = attempt.batch.get("id", "")
        require(int(sent) > last.get(batch_id, -1), f"a retry was stamped with s = {sent} like the attempt before")
        last[batch_id] = int(sent)
        sealed = attempt.batch.get("clock", {}).get("mono_us")
        if sealed is not None and attempt.query.get("e") == attempt.batch["clock"].get("epoch"):
            require(sealed <= int(sent), f"sealed at {sealed}, stamped at {sent}")
    return f"{len(case.attempts)} stamps"


def learns_the_clock(case: Case) -> str:
    """After an answer, stamps carry an anchor, and by it the server's clock is what it is."""
    anchored = [attempt for attempt in case.attempts if "o" in attempt.query]
    if len(case.attempts) < 2:
        raise NotSeen("there was no attempt after the first answer")
    require(anchored, "no attempt after the first answer has an anchor")
    for attempt in anchored:
        o, d, t = (int(attempt.query[name]) for name in "odt")
        told = [*case.seen.told_us, *(each.replied_us for each in case.attempts if each.replied_us)]
        fits = [us for us in told if us <= attempt.received_us and us - d <= o + t <= attempt.received_us + d]
        require(fits, f"by the anchor {o} ± {d} µs at {t} the answer came at {o + t}, when there was none")
        require(d < AHEAD_US, f"± {d} µs says nothing on one machine")
    return f"{len(anchored)} anchors"


def plain_requests(case: Case) -> str:
    """No cookies; a page sends nothing that costs a preflight."""
    for attempt in some(case.attempts):
        names = {name.lower() for name in attempt.headers}
        require("cookie" not in names, "a cookie was sent")
        if "origin" in names:
            require(not names & PAGE_HEADERS, f"a page sent {sorted(names & PAGE_HEADERS)}")
    require(not case.seen.preflights, f"{case.seen.preflights} preflights")
    return f"{len(case.attempts)} requests"


def ignores_itself(case: Case) -> str:
    """The client's own requests are not among what it records."""
    own = urlsplit(case.address).netloc
    found = [
        span["url"]
        for attempt in case.attempts
        for span in attempt.batch.get("spans", ())
        if urlsplit(str(span.get("url", ""))).netloc == own
    ]
    require(not found, f"{len(found)} spans are about the client's own requests")
    return "none of them recorded"


def obeys(case: Case) -> str:
    """While the configuration says to send nothing, nothing is sent, and what was left out is told as `sampled`."""
    if not case.seen.asked_s:
        raise NotSeen("the configuration was not asked for")
    on_s = case.seen.asked_s[0] + 2
    early = [attempt for attempt in case.attempts if attempt.began_s < on_s]
    require(not early, f"{len(early)} batches came while nothing was to be sent")
    require(len(case.seen.asked_s) > 1, "it was not asked for again after ttl_s")
    told = sum(attempt.batch.get("dropped", {}).get("sampled", 0) for attempt in case.stored.values())
    require(told == case.scenario.steps[0][1], f"told are {told} spans as sampled")
    return f"{told} spans sampled"


def samples(case: Case) -> str:
    """Ordinary spans are sent iff R ≥ T, with the threshold declared; errors without one; the rest is told."""
    if not case.seen.asked_s:
        raise NotSeen("the configuration was not asked for")
    spans = [span for attempt in case.stored.values() for span in attempt.batch["spans"]]
    ordinary = [span for span in spans if span.get("http_status", 200) < 400]
    for span in ordinary:
        require(span.get("threshold") == "8", f"a span was sent with threshold {span.get('threshold')!r}")
        require(randomness(span["trace_id"], span.get("randomness", "")) >= read("8"), "a span was sent with R < T")
    errors = [span for span in spans if span not in ordinary]
    require(not any(span.get("threshold") for span in errors), "an error was sent with a threshold")
    counts = {"record": 0, "errors": 0} | Counter({what: int(count) for what, count in case.scenario.steps})
    require(len(errors) == counts["errors"], f"{len(errors)} of {counts['errors']} errors were sent")
    sets = [each for attempt in case.stored.values() for each in attempt.batch.get("sketches", ())]
    told = sum(attempt.batch.get("dropped", {}).get("sampled", 0) for attempt in case.stored.values())
    told += sum(each["spans"] for each in sets)
    require(len(ordinary) + told == counts["record"], f"{len(ordinary)} sent, {told} told of {counts['record']}")
    return f"{len(ordinary)} of {counts['record']} ordinary spans sent"


def checks_the_signature(case: Case) -> str:
    """A configuration whose signature does not hold is ignored."""
    if not case.seen.asked_s:
        raise NotSeen("the configuration was not asked for")
    require(case.stored, "a forged configuration silenced the client")
    return "ignored"


ALWAYS: Mapping[str, Callable[[Case], str]] = {
    "readable": readable,
    "bounded": bounded,
    "same_bytes": same_bytes,
    "spans_once": spans_once,
    "accounted": accounted,
    "stamped_anew": stamped_anew,
    "plain_requests": plain_requests,
    "ignores_itself": ignores_itself,
}
"""Every scenario is judged by these."""
SOMETIMES: Mapping[str, Callable[[Case], str]] = {
    judge.__name__: judge
    for judge in (
        judge_retries.repeats,
        judge_retries.waits,
        judge_retries.full_jitter,
        judge_retries.gives_up,
        judge_retries.not_repeated,
        judge_retries.tells_rejected,
        judge_retries.stops,
        judge_retries.halves,
        judge_retries.stays,
        judge_retries.one_by_one,
        learns_the_clock,
        obeys,
        samples,
        checks_the_signature,
    )
}
"""Those that a scenario names."""
JUDGEMENTS: Mapping[str, Callable[[Case], str]] = {**ALWAYS, **SOMETIMES}
