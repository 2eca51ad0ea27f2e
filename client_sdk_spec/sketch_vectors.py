"""Vectors of sketches: a batch that has them, what a decoder must make of it, and sets that must be refused.

The expected tables are worked out from the spans themselves, without `sketches.py`.
"""

import math
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from client_sdk_spec.sketches import PHASES, ddsketch

OURS = (1 + 0.01) / (1 - 0.01)
"""γ of the server's buckets."""
ZERO = -3
"""The server's bucket of the value 0."""


def sketched_case(random: Random) -> Mapping[str, Any]:
    """A device that sends a tenth of its spans and sketches the others, one set with another mapping."""
    request = {
        "name": "GET /cart",
        "method": "GET",
        "url": "https://api.shop.example/v1/cart/77",
        "route": "/v1/cart/{id}",
    }
    screen = {"name": "screen cart", "kind": 1}
    start_us = 80_000_000

    def requests(count: int) -> list[dict[str, Any]]:
        return [
            request
            | {
                "duration_us": int(random.lognormvariate(11.5, 0.8)),
                "http_status": random.choice((200, 200, 200, 404, 0)),
                "dns_us": random.choice((-1, -1, 0, 14_000)),
                "tcp_us": random.choice((-1, -2, 32_000)),
                "ttfb_us": int(random.lognormvariate(11, 0.8)),
            }
            for _ in range(count)
        ]

    return {
        "id": "b0b1b2b3b4b5b6b7b8b9babbbcbdbebf",
        "resource": {"service": "shop", "version": "5.2.1", "network": "4g", "session": "5e55", "reported": True},
        "clock": {"kind": "mono", "epoch": "b1", "mono_us": 99_000_000, "wall_us": 1_760_000_000_000_000},
        "unsent": "sketched",
        "spans": [
            request
            | {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7", "threshold": "e6666"}
            | {"start_us": start_us, "duration_us": 120_000}
        ],
        "sketches": [
            {"start_us": start_us, "width_us": 10_000_000, "spans": requests(60)},
            {"start_us": start_us + 10_000_000, "width_us": 10_000_000, "spans": requests(3)},
            {"start_us": start_us, "width_us": 300_000_000, "spans": requests(40), "accuracy": 0.02},
            {"start_us": start_us, "width_us": 0, "spans": [screen | {"duration_us": 0}, screen | {"duration_us": 1}]},
        ],
    }


def expected_sketches(logical: Mapping[str, Any]) -> dict[str, Any]:
    """The tables `sketches` and `sketch_bins` that a decoder must make; bins in order."""
    sets = logical.get("sketches", ())
    bins = [(owner, *found) for owner, each in enumerate(sets) for found in _bins(each)]
    return {
        "sketches": {
            **{name: [each["spans"][0].get(name, "") for each in sets] for name in ("name", "method", "url", "route")},
            **{name: [each[name] for each in sets] for name in ("start_us", "width_us")},
            "spans": [len(each["spans"]) for each in sets],
            "errors": [
                sum(
                    span.get("http_status", 200) in range(400, 600) or span.get("http_status") == 0
                    for span in each["spans"]
                )
                for each in sets
            ],
            "reused": [_marks(each, -1) for each in sets],
            "unknown": [_marks(each, -2) for each in sets],
            "remapped": ["accuracy" in each for each in sets],
        },
        "sketch_bins": {
            name: [row[at] for row in bins] for at, name in enumerate(("owner", "metric", "bucket", "count"))
        },
    }


def _marks(each: Mapping[str, Any], mark: int) -> list[int]:
    """By phase; spans without a method are no requests and have none."""
    requests = [span for span in each["spans"] if "method" in span]
    return [sum(span.get(f"{phase}_us", -2) == mark for span in requests) for phase in PHASES]


def _bins(each: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """(metric, bucket, count) of a set, by metric and bucket."""
    found: list[tuple[str, int, int]] = []
    for metric in ("duration", *PHASES):
        values = [span.get(f"{metric}_us", -2) for span in each["spans"]]
        buckets = Counter(_bucket(value, each.get("accuracy", 0.01)) for value in values if value >= 0)
        found += [(metric, bucket, count) for bucket, count in sorted(buckets.items())]
    return found


def _bucket(value_us: int, accuracy: float) -> int:
    """The server's bucket of what the client's bucket stands for."""
    if value_us == 0:
        return ZERO
    theirs = (1 + accuracy) / (1 - accuracy)
    index = math.ceil(math.log(value_us) / math.log(theirs))
    if math.isclose(theirs, OURS):
        return index
    return math.ceil(math.log(2 * theirs**index / (theirs + 1)) / math.log(OURS))


_ORDINARY = [1, 1, 2, 40, 41, 41, 180_000, 180_001, 2_500_000, 0, 0]
_SPREAD = [3**power for power in range(20)]
_DENSE = [1_000 + 10 * number for number in range(60)]
_COARSE = [7, 7_000, 7_000_000, 41]

VALUES = (
    ("a few values, zeros among them", _ORDINARY, 0.01),
    ("far apart", _SPREAD, 0.01),
    ("close together", _DENSE, 0.01),
    ("another mapping: each bucket goes to that of the value it stands for", _COARSE, 0.02),
    ("nothing but zeros", [0, 0, 0], 0.01),
)
MERGES = ((0, 1), (0, 1, 2), (2, 2), (0, 3), (4, 0), (4,))


def sketch_cases() -> dict[str, Any]:
    """Values, the message, and the server's bins of it; and what several together give.

    The bins and the bounds of quantiles are worked out from the values; a message is one of those that may be written.
    """
    sketches = [
        {
            "meaning": meaning,
            "values": values,
            "accuracy": accuracy,
            "message": ddsketch(values, accuracy).hex(),
            "bins": _sum([(values, accuracy)]),
        }
        for meaning, values, accuracy in VALUES
    ]
    merges = [
        {
            "sketches": list(parts),
            "bins": _sum([VALUES[part][1:] for part in parts]),
            "quantiles": [_bounds([VALUES[part][1:] for part in parts], share) for share in (0, 0.5, 0.95, 1)],
        }
        for parts in MERGES
    ]
    return {"sketches": sketches, "merges": merges}


def _sum(parts: Sequence[tuple[list[int], float]]) -> list[list[int]]:
    counts = Counter(_bucket(value, accuracy) for values, accuracy in parts for value in values)
    return [list(pair) for pair in sorted(counts.items())]


def _bounds(parts: Sequence[tuple[list[int], float]], share: float) -> dict[str, float]:
    """Between what a quantile must be: within 1 % of the exact one, or the error of both mappings."""
    ordered = sorted(value for values, _ in parts for value in values)
    exact = ordered[math.floor(share * (len(ordered) - 1))]
    error = max((1 + accuracy) * 1.01 - 1 if accuracy != 0.01 else 0.01 for _, accuracy in parts)
    return {"share": share, "exact": exact, "least": exact * (1 - error), "most": exact * (1 + error)}


def refused_sets() -> Mapping[str, tuple[str, list[dict[str, Any]]]]:
    """What is wrong → reason, and the value of `sketches`."""
    sketch = ddsketch([100, 100, 200], 0.01)
    fine = {"name": 1, "start_us": 5, "width_us": 10, "spans": 3, "values": {"duration": sketch.hex()}}
    gamma = struct.pack("<d", OURS)
    bin_of = b"\x0a\x0b\x08\x02\x11" + struct.pack("<d", 3)

    def measured(store: bytes, *, mapping: bytes = b"\x09" + gamma, after: bytes = b"") -> dict[str, Any]:
        stores = b"\x12" + bytes([len(store)]) + store
        return {"values": {"duration": (b"\x0a" + bytes([len(mapping)]) + mapping + stores + after).hex()}}

    changes: dict[str, dict[str, Any]] = {
        "no_values": {"values": {}},
        "spans_beyond_values": {"spans": 4},
        "errors_beyond_spans": {"errors": 4},
        "reused_beyond_spans": {"reused": {"dns": 2}, "unknown": {"dns": 2}},
        "nameless": {"name": 0},
        "cut_off": {"values": {"duration": sketch[:-1].hex()}},
        "interpolated": measured(bin_of, mapping=b"\x09" + gamma + b"\x18\x01"),
        "no_mapping": measured(bin_of, mapping=b""),
        "coarse": {"values": {"duration": ddsketch([100, 100, 200], 0.06).hex()}},
        "fine": {"values": {"duration": ddsketch([100, 100, 200], 0.0005).hex()}},
        "fraction": measured(b"\x0a\x0b\x08\x02\x11" + struct.pack("<d", 3.5)),
        "below_zero": measured(b"\x0a\x0b\x08\x02\x11" + struct.pack("<d", -3)),
        "not_a_number": measured(b"\x0a\x0b\x08\x02\x11" + struct.pack("<d", math.nan)),
        "endless": measured(b"\x0a\x0b\x08\x02\x11" + struct.pack("<d", math.inf)),
        "too_many_counted": measured(b"\x0a\x0b\x08\x02\x11" + struct.pack("<d", 2**40)),
        "negative_values": measured(bin_of, after=b"\x1a\x0d" + bin_of),
        "longer_than_a_day": {"values": {"duration": ddsketch([10**11] * 3, 0.01).hex()}},
        "endless_offset": measured(bin_of, mapping=b"\x09" + gamma + b"\x11" + struct.pack("<d", math.inf)),
    }
    made = {f"sketch_{name}": ("bad_sketch", [fine | change]) for name, change in changes.items()}
    made["sketch_of_too_many"] = ("bad_sketch", [fine | {"spans": 1_000_000}] * 2)
    made["sketch_too_wide"] = ("wrong_type", [fine | {"width_us": 300_000_001}])
    made["sketch_without_start"] = ("wrong_type", [{key: fine[key] for key in fine if key != "start_us"}])
    made["sketch_bad_code"] = ("bad_code", [fine | {"url": 4_000}])
    made["too_many_sketches"] = ("too_many_sketches", [fine] * 501)
    return made
