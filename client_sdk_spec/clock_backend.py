"""The clock vectors of a backend's bound: what a server that worked for a request says of its client's clock.

A server works while its client waits, so the client's clock has to be moved by at least the server's end − the client's
end, and by at most the server's start − the client's start, each wider by the server's own error. Expected values are
worked out by hand; 0.1 ms is left for drift. A server that only receives batches need not do this.
"""

from typing import Any

MS = 1_000
S = 1_000_000


def request(start_us: int, duration_us: int, err_us: int) -> dict[str, Any]:
    """A client span, by its own clock as far as it was known when it was received."""
    return {"start_us": start_us, "duration_us": duration_us, "err_us": err_us}


def case(meaning: str, client: dict[str, Any], backend: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """One request and the backend span that hangs on it."""
    return {"meaning": meaning, "client": client, "backend": backend, "expected": {"conflict": False} | expected}


CASES = {
    "inside": case(
        "A second of doubt, and a server that worked for 60 of the request's 100 ms.",
        request(-500 * MS, 100 * MS, 1 * S),
        request(20 * MS, 60 * MS, 0),
        # From 80 + 400 to 20 + 500 ms: 500 ± 20.
        {"start_us": 0, "err_us": 20 * MS},
    ),
    "as_wide_as_the_servers_own_error": case(
        "The same, and the server is only sure to 100 ms.",
        request(-500 * MS, 100 * MS, 1 * S),
        request(20 * MS, 60 * MS, 100 * MS),
        {"start_us": 0, "err_us": 120 * MS},
    ),
    "cut": case(
        "What the client knew itself cuts what the server leaves.",
        request(0, 100 * MS, 25 * MS),
        request(50 * MS, 60 * MS, 0),
        # From 110 − 100 to 50 ms, and at most 25: 17.5 ± 7.5.
        {"start_us": 17_500, "err_us": 7_500},
    ),
    "nothing_new": case(
        "A server that allows all that the client did.",
        request(0, 100 * MS, 5 * MS),
        request(20 * MS, 60 * MS, 0),
        {"start_us": 0, "err_us": 5 * MS},
    ),
    "contradiction": case(
        "A server that worked a minute later contradicts a doubt of a second: left out, and flagged.",
        request(0, 100 * MS, 1 * S),
        request(60 * S, 60 * MS, 0),
        {"start_us": 0, "err_us": 1 * S, "conflict": True},
    ),
    "longer_than_the_request": case(
        "A server that worked on after its client had left bounds nothing.",
        request(0, 100 * MS, 1 * S),
        request(20 * MS, 200 * MS, 0),
        {"start_us": 0, "err_us": 1 * S},
    ),
}
"""By name."""
