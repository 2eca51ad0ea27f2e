"""What the receiver does to a client, on purpose. The key that a client sends with chooses the scenario.

A client under test is told what to do in steps (`Step`), so that it is known what it must have sent:

    record 8        eight spans called `span 0`, `span 1`, … over all steps, of which one batch is made; status 200
    errors 8        the same, with `http_status` 500
    settle          go on when nothing is left that may be sent, or the client has stopped
    wait 3          three seconds pass
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Step = tuple[str, float]


class Act(NamedTuple):
    """What the receiver does with one request."""

    status: int = 202
    """Of the answer; 0: there is none, the connection is reset. -1: none ever, the connection stays."""
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    """Else what belongs to the status."""
    stored: bool | None = None
    """Whether the spans count as arrived; as the status says where nothing else is said."""


Batch = Mapping[str, Any]
ACCEPT = Act()
RESET, SILENCE = Act(0), Act(-1)

CONFIG: dict[str, Any] = {
    "v": 1,
    "app": 1,
    "ttl_s": 300,
    "send": True,
    "class": "unknown",
    "sampling": {"th": "0", "routes": {}, "always": ["error", "slow", "reported"]},
    "slow": {"default_ms": 3000, "routes_ms": {}},
}


@dataclass(frozen=True)
class Scenario:
    """One way to misbehave."""

    about: str
    steps: tuple[Step, ...]
    act: Callable[[int, Batch], Act]
    """By the number of the attempt, from 0, and its batch (empty where it could not be read)."""
    config: Callable[[float], Mapping[str, Any]] = field(default=lambda _: CONFIG)
    """By the seconds since it was first asked for."""
    signed: Literal["well", "forged"] = "well"
    judged: tuple[str, ...] = ()
    """Judgements beside those that every scenario is judged by."""

    @property
    def spans(self) -> int:
        """How many the client records."""
        return int(sum(count for what, count in self.steps if what in ("record", "errors")))


def script(*acts: Act) -> Callable[[int, Batch], Act]:
    """These, one after the other, and then everything is accepted."""
    return lambda number, _: acts[number] if number < len(acts) else ACCEPT


def too_large(number: int, batch: Batch) -> Act:
    """Three spans are the most that are taken."""
    del number
    return Act(413) if len(batch.get("spans", ())) > 3 else ACCEPT


def one_too_large(number: int, batch: Batch) -> Act:
    """Whatever `span 2` is in is too large."""
    del number
    return Act(413) if any(span.get("name") == "span 2" for span in batch.get("spans", ())) else ACCEPT


def off_at_first(passed_s: float) -> Mapping[str, Any]:
    """Nothing is to be sent for two seconds."""
    return CONFIG | {"ttl_s": 1, "send": passed_s >= 2}


def half(passed_s: float) -> Mapping[str, Any]:
    """One of two ordinary spans is to be sent."""
    del passed_s
    return CONFIG | {"sampling": {"th": "8", "routes": {}, "always": ["error", "slow", "reported"]}}


def off_for_ever(passed_s: float) -> Mapping[str, Any]:
    """Nothing is to be sent; said by somebody else."""
    del passed_s
    return CONFIG | {"send": False}


def recorded(*groups: int) -> tuple[Step, ...]:
    """Groups of spans, each settled before the next."""
    return tuple(step for group in groups for step in (("record", group), ("settle", 0)))


def refused(status: int) -> Scenario:
    """Key or address are refused for good."""
    return Scenario(
        f"{status}: the client stops",
        recorded(5, 3),
        lambda *_: Act(status),
        judged=("stops", "not_repeated"),
    )


SCENARIOS: Mapping[str, Scenario] = {
    "well": Scenario("everything is accepted", recorded(12, 1), script(), judged=("learns_the_clock", "one_by_one")),
    "many_spans": Scenario("2,500 spans at once", recorded(2_500, 1), script()),
    "unavailable": Scenario(
        "503 four times", recorded(8, 1), script(*[Act(503)] * 4), judged=("repeats", "full_jitter", "waits")
    ),
    "told_when": Scenario(
        "429 with Retry-After: 2, while another batch waits",
        (("record", 8), ("record", 4), ("settle", 0)),
        script(Act(429, {"Retry-After": "2"})),
        judged=("repeats", "waits"),
    ),
    "told_nonsense": Scenario(
        "429 with Retry-After: soon",
        recorded(8, 1),
        script(Act(429, {"Retry-After": "soon"})),
        judged=("repeats", "waits"),
    ),
    "too_slow": Scenario("408 once", recorded(8, 1), script(Act(408)), judged=("repeats", "waits")),
    "too_large": Scenario("413 for more than 3 spans", recorded(9, 1), too_large, judged=("halves",)),
    "one_too_large": Scenario(
        "413 for one span, whatever it is with", recorded(4, 1), one_too_large, judged=("halves",)
    ),
    "reset": Scenario(
        "the connection is reset twice", recorded(8, 1), script(RESET, RESET), judged=("repeats", "waits")
    ),
    "silent": Scenario(
        "no answer to the first attempt", recorded(8, 1), script(SILENCE), judged=("repeats", "gives_up")
    ),
    "lost_answer": Scenario(
        "stored, and the answer is lost", recorded(8, 1), script(Act(0, stored=True)), judged=("repeats", "waits")
    ),
    "garbage": Scenario(
        "202 with a web page for a body", recorded(8, 1), script(Act(202, body=b"<html>")), judged=("not_repeated",)
    ),
    "redirected": Scenario(
        "302 to another address",
        recorded(8, 1),
        script(Act(302, {"Location": "/elsewhere"})),
        judged=("repeats", "stays", "waits"),
    ),
    "unreadable": Scenario(
        "400 to the first batch", recorded(5, 1), script(Act(400)), judged=("not_repeated", "tells_rejected")
    ),
    "unknown_encoding": Scenario(
        "415 to the first batch", recorded(5, 1), script(Act(415)), judged=("not_repeated", "tells_rejected")
    ),
    **{f"refused_{status}": refused(status) for status in (401, 403, 404, 410)},
    "switched_off": Scenario(
        "the configuration says to send nothing for two seconds",
        (("record", 6), ("settle", 0), ("wait", 4), ("record", 1), ("settle", 0)),
        script(),
        off_at_first,
        judged=("obeys",),
    ),
    "sampled": Scenario(
        "the configuration keeps one of two ordinary spans",
        (("record", 60), ("errors", 6), ("settle", 0)),
        script(),
        half,
        judged=("samples",),
    ),
    "forged": Scenario(
        "a configuration that somebody else signed says to send nothing",
        recorded(6),
        script(),
        off_for_ever,
        signed="forged",
        judged=("checks_the_signature",),
    ),
}
"""By the key that chooses it."""
