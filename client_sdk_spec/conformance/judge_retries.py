"""What a client did with answers: judgements about repeating, waiting, halving and stopping."""

from collections import Counter

from client_sdk_spec.conformance.case import Case, some
from client_sdk_spec.conformance.verdicts import NotSeen, require
from client_sdk_spec.retry import SECOND_US, fate_of, jitter_us, retry_after_us

MOST_IN_FLIGHT = 8


def repeats(case: Case) -> str:
    """A batch that may have been lost is sent again, until it is accepted."""
    first = some(case.attempts)[0].batch.get("id")
    again = [attempt for attempt in case.attempts if attempt.batch.get("id") == first]
    require(len(again) > 1, "the batch was not sent again")
    require(again[-1].stored, f"the batch was given up after {len(again)} attempts")
    return f"{len(again)} attempts"


def waits(case: Case) -> str:
    """After a failure nothing is sent before Retry-After is over, and the rest of the wait is within its bound."""
    failures, told = 0, []
    for attempt, following in zip(case.attempts, case.attempts[1:], strict=False):
        if fate_of(max(attempt.act.status, 0)) != "later":
            failures = 0
            continue
        asked_s = retry_after_us(attempt.act.headers.get("Retry-After")) / SECOND_US
        bound_s = jitter_us(failures, 1.0) / SECOND_US
        waited_s = following.began_s - attempt.ended_s
        note = f"{waited_s:.2f} s after failure {failures + 1}, told to wait {asked_s:g} s, at most {bound_s:g} s more"
        require(asked_s - 0.05 <= waited_s <= asked_s + bound_s + case.slack_s, note)
        told.append(f"{waited_s:.2f} s")
        failures += 1
    if not told:
        raise NotSeen("nothing failed and was followed by another attempt")
    return ", ".join(told)


def full_jitter(case: Case) -> str:
    """Waits are anywhere up to their bound, not near it: else clients that failed together come back together."""
    shares = [
        (following.began_s - attempt.ended_s) / (jitter_us(number, 1.0) / SECOND_US)
        for number, (attempt, following) in enumerate(zip(case.attempts, case.attempts[1:], strict=False))
        if fate_of(max(attempt.act.status, 0)) == "later"
    ]
    if len(shares) < 4:
        raise NotSeen(f"{len(shares)} waits are too few")
    note = ", ".join(f"{share:.2f}" for share in shares)
    # Full jitter: all four above 0.85 once in 2,000 runs.
    require(min(shares) < 0.85, f"shares of the bound: {note}")
    return f"shares of the bound: {note}"


def gives_up(case: Case) -> str:
    """An attempt without an answer is given up in time."""
    attempt = some(case.attempts)[0]
    took_s = attempt.ended_s - attempt.began_s
    require(took_s <= case.timeout_s + case.slack_s, f"still waiting after {took_s:.1f} s")
    return f"after {took_s:.1f} s"


def not_repeated(case: Case) -> str:
    """What was accepted, or refused for good, is not sent again."""
    sent = Counter(attempt.batch.get("id") for attempt in some(case.attempts))
    final = [attempt for attempt in case.attempts if fate_of(max(attempt.act.status, 0)) != "later"]
    again = [attempt for attempt in final if sent[attempt.batch.get("id")] > 1]
    require(not again, f"sent again after {sorted({attempt.act.status for attempt in again})}")
    return f"{len(final)} batches"


def tells_rejected(case: Case) -> str:
    """The spans of a refused batch are told as `rejected` by a later one."""
    lost = sum(len(attempt.batch.get("spans", ())) for attempt in case.attempts if 400 <= attempt.act.status < 500)
    told = Counter[str]()
    for attempt in case.stored.values():
        told.update(attempt.batch.get("dropped", {}))
    require(told == {"rejected": lost}, f"{lost} spans were refused, told is {dict(told)}")
    return f"{lost} spans"


def stops(case: Case) -> str:
    """After an answer that says that key or address are wrong nothing more is sent."""
    count = len(some(case.attempts))
    require(count == 1, f"{count - 1} attempts after {case.attempts[0].act.status}")
    return f"nothing after {case.attempts[0].act.status}"


def halves(case: Case) -> str:
    """What is too large is cut into halves with new ids, in order; a span that is too large alone is dropped."""
    batches = {attempt.batch["id"]: attempt for attempt in some(case.attempts) if attempt.batch}
    require(len(batches) == len(case.attempts), "a batch that was too large was sent again")
    lost, cut = 0, 0
    names = [tuple(span.get("name") for span in attempt.batch["spans"]) for attempt in case.attempts]
    for at, attempt in enumerate(case.attempts):
        if attempt.act.status != 413:
            continue
        if len(names[at]) == 1:
            lost += 1
            continue
        cut += 1
        parts = [later for later in names[at + 1 :] if set(later) < set(names[at])]
        middle = len(names[at]) // 2
        expected = {names[at][:middle], names[at][middle:]}
        require(expected <= set(parts), f"{names[at]} was not cut into halves: {parts}")
    told = sum(attempt.batch.get("dropped", {}).get("too_large", 0) for attempt in case.stored.values())
    require(told == lost, f"{lost} spans were too large alone, told is {told}")
    return f"{cut} cut, {lost} spans too large alone"


def stays(case: Case) -> str:
    """A redirect is not followed: the body would go to an address nobody has agreed to."""
    require(not case.seen.strayed, f"followed to {case.seen.strayed}")
    return "not followed"


def one_by_one(case: Case) -> str:
    """Few requests are in flight at a time."""
    require(case.seen.most_in_flight <= MOST_IN_FLIGHT, f"{case.seen.most_in_flight} at once")
    return f"at most {case.seen.most_in_flight} at once"
