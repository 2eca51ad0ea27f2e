"""The reference decoder: golden bodies give their columns, malformed ones are refused."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_sdk_spec.decoder import Unreadable, decode, inflate
from client_sdk_spec.expected_columns import expected
from tests.client_sdk_spec.vectors import FOLDER, as_json, load

GOLDEN = [
    path
    for path in sorted((FOLDER / "golden").iterdir())
    if ".batch." not in path.name and ".columns." not in path.name
]
NOT_JUDGED = {"too_many_spans", "too_many_strings", "too_many_reasons", "too_many_sketches", "too_deep", "bad_sketch"}
"""Refusals for being too much, which this decoder does not count, and sketches, which it does not read."""
REASONS = load("malformed/reasons.json")
MALFORMED = [name for name, why in REASONS.items() if why not in NOT_JUDGED and not name.startswith("sketch")]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_a_golden_body_gives_its_columns(path: Path):
    columns = load(f"golden/{path.name.partition('.')[0]}.columns.json")
    batch = decode(inflate(path.read_bytes()))
    found = as_json(expected({name: part for name, part in batch.items() if name != "sketches"}))
    same = ("resource", "spans", "attributes", "events", "links", "drops")
    assert {name: found[name] for name in same} == {name: columns[name] for name in same}
    assert batch["id"] == columns["body"]["batch_id"]
    assert len(batch.get("sketches", ())) == len(columns["sketches"]["spans"])


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_body_is_not_read(name: str):
    encoding = {"gz": "gzip", "zst": "zstd", "zz": "deflate"}.get(name.rpartition(".")[2], "identity")
    with pytest.raises(Unreadable):
        decode(inflate((FOLDER / "malformed" / name).read_bytes(), encoding))


@given(st.binary(max_size=200), st.sampled_from(("", "gzip", "zstd", "deflate", "identity")))
def test_any_bytes_are_read_or_found_unreadable(sent: bytes, encoding: str):
    with suppress(Unreadable):
        assert decode(inflate(sent, encoding))["id"]
