"""Items of Faro's bodies → rows: errors, vitals and other measurements, log lines, and what happened."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ingest.decode.faro_rows import FaroRows, ids_of, nanoseconds
from ingest.decode.faro_wire import Event, Item, Log, Measurement, Thrown
from ingest.decode.signal_rows import text
from ingest.model import Signal
from ingest.outcome import Note

VITALS: Final = {
    "lcp": Signal.LCP,
    "inp": Signal.INP,
    "cls": Signal.CLS,
    "fcp": Signal.FCP,
    "ttfb": Signal.TTFB,
}
NOT_WAITED_FOR: Final = frozenset({"back-forward-cache", "soft-navigation", "prerender"})
"""Navigation types of web-vitals of which it says a TTFB that is none: `onTTFB` gives 0, or less than was."""
FRAMES: Final = 50
"""Of a stack."""
LONGEST_MS: Final = 1e12
"""Beyond, a measurement is none; it will be rejected."""

_POLICY: Final = {
    "blockedURI": "csp.blocked_url",
    "columnNumber": "csp.column",
    "disposition": "csp.disposition",
    "effectiveDirective": "csp.directive",
    "lineNumber": "csp.line",
    "originalPolicy": "csp.policy",
    "referrer": "http.request.header.referer",
    "sample": "csp.sample",
    "sourceFile": "csp.source_url",
    "statusCode": "csp.status_code",
}
"""Field of a SecurityPolicyViolationEvent → attribute."""


class Place(NamedTuple):
    """Where in the app the items of a body happened, as pairs."""

    page: list[int]
    """Address and template."""
    screen: list[int]
    """The view, if there is one."""


class ItemReader:
    """Reads items one after the other into the same rows."""

    def __init__(self, rows: FaroRows) -> None:
        self._rows = rows
        self._named: Mapping[str, Callable[[Event, Place], None]] = {
            "view_changed": self._view,
            "route_change": self._route,
            "faro.navigation": self._soft_navigation,
            "faro.user.action": self._user_action,
            "securitypolicyviolation": self._violation,
        }

    def event(self, event: Event, place: Place) -> None:
        """Anything that happened, but for the browser's timing entries."""
        name = text(event.name)
        known = self._named.get(name)
        if known is not None:
            known(event, place)
        else:
            self._moment(event, name, place, self._rows.free_pairs(event.attributes))

    def log(self, log: Log, place: Place) -> None:
        """A line, named by its level."""
        level = text(log.level) or "log"
        pairs = [self._rows.pair("log.message", log.message), *self._rows.free_pairs(log.context)]
        self._moment(log, level, place, pairs, failed=level == "error")

    def thrown(self, thrown: Thrown, place: Place) -> None:
        """An error, named by its type."""
        rows = self._rows
        kind = text(thrown.type) or "Error"
        said = {
            "error.type": kind,
            "exception.message": thrown.value,
            "exception.stacktrace": _stack(thrown.stacktrace.frames) if thrown.stacktrace is not None else None,
            "exception.fatal": thrown.fatal,
            "exception.fingerprint": thrown.fingerprint,
        }
        pairs = [rows.pair(name, value) for name, value in said.items() if value is not None]
        pairs += rows.free_pairs(thrown.context)
        self._add(thrown, kind, Signal.EXCEPTION, 0, [*place.page, *place.screen, *pairs], failed=True)

    def measurement(self, measurement: Measurement, place: Place) -> None:
        """A web vital, or numbers of the app's own."""
        values = measurement.values or {}
        kind = text(measurement.type)
        vital = next((name for name in values if name in VITALS), None) if kind == "web-vitals" else None
        if vital is not None:
            self._vital(measurement, vital, place)
        else:
            said = {**values, **(measurement.context or {})}
            self._moment(measurement, kind, place, self._rows.free_pairs(said))

    def _vital(self, measurement: Measurement, vital: str, place: Place) -> None:
        rows = self._rows
        said = {**(measurement.values or {}), **(measurement.context or {})}
        signal, value = VITALS[vital], _finite(said.pop(vital))
        if signal == Signal.TTFB and said.get("navigation_type") in NOT_WAITED_FOR:
            rows.remark(Note.NOT_WAITED_FOR)
            return
        named = rows.first([*said.items()], rows.limits.attributes)
        pairs = [rows.pair(f"web_vital.{name}", _short(given)) for name, given in named]
        # A score has no unit: its millionths are counted as microseconds. What took time ended when it was reported.
        duration = -1 if value < 0 else round(value * (1e9 if signal == Signal.CLS else 1e6))
        back = 0 if signal == Signal.CLS else max(duration, 0)
        self._add(measurement, vital.upper(), signal, duration, [*place.page, *place.screen, *pairs], back=back)

    def _view(self, event: Event, place: Place) -> None:
        to = text((event.attributes or {}).get("toView"))
        pairs = [*place.page, self._rows.pair("app.screen.name", to)]
        self._add(event, to or "view_changed", Signal.SCREEN, 0, pairs)

    def _route(self, event: Event, place: Place) -> None:
        said = event.attributes or {}
        url, route = text(said.get("toUrl")), text(said.get("toRoute"))
        page = [self._rows.pair("url.full", url), self._rows.pair("url.template", route)] if url else place.page
        pairs = [*page, self._rows.pair("app.screen.name", route)]
        self._add(event, route or "route_change", Signal.SCREEN, 0, pairs)

    def _soft_navigation(self, event: Event, place: Place) -> None:
        said = event.attributes or {}
        duration = self._rows.duration_us(said.get("duration")) * 1000
        pairs = [*place.screen, self._rows.pair("url.full", said.get("toUrl"))]
        self._add(event, "navigation", Signal.SCREEN, duration, pairs, back=max(duration, 0))

    def _user_action(self, event: Event, place: Place) -> None:
        said = dict(event.attributes or {})
        name, duration = text(said.pop("userActionName", "")), said.pop("userActionDuration", "")
        pairs = [*place.page, *place.screen, *self._rows.free_pairs(said)]
        self._add(event, name, Signal.OPERATION, self._rows.duration_us(duration) * 1000, pairs)

    def _violation(self, event: Event, place: Place) -> None:
        said = event.attributes or {}
        named = [(_POLICY[name], value) for name, value in said.items() if name in _POLICY and value not in {"", None}]
        pairs = [self._rows.pair(name, value) for name, value in named]
        self._moment(event, "csp-violation", place, pairs)

    def _moment(self, item: Item, name: str, place: Place, pairs: list[int], *, failed: bool = False) -> None:
        self._add(item, name, Signal.EVENT, 0, [*place.page, *place.screen, *pairs], failed=failed)

    def _add(
        self,
        item: Item,
        name: str,
        signal: Signal,
        duration_ns: int,
        pairs: list[int],
        *,
        back: int = 0,
        failed: bool = False,
    ) -> None:
        """A row that began `back` ns before the item's stamp."""
        start = nanoseconds(item.timestamp)
        if item.action is not None and item.action.name:
            pairs = [*pairs, self._rows.pair("faro.action.name", item.action.name)]
        times = max(start - back, 0), duration_ns
        self._rows.add(name, signal, times, pairs, context=ids_of(item.trace), alone=False, failed=failed)


def _finite(value: Any) -> float:
    """A number from 0; -1 for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return -1
    return value if math.isfinite(value) and 0 <= value <= LONGEST_MS else -1


def _short(value: Any) -> Any:
    """Browsers tell milliseconds with as many digits as a float has, and mean tenths of them."""
    return round(value, 4) if isinstance(value, float) else value


def _stack(frames: Sequence[Mapping[str, Any] | None] | None) -> str | None:
    """The frames as browsers write them, one a line."""
    return "\n".join(_frame(frame) for frame in frames[:FRAMES] if frame) if frames else None


def _frame(frame: Mapping[str, Any]) -> str:
    place = ":".join(text(frame[name]) for name in ("filename", "lineno", "colno") if frame.get(name) is not None)
    return f"    at {text(frame.get('function'))} ({place})"
