"""Spans that are sketched on the device count as they would have themselves: once, whatever happens on the way."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import asyncpg
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import sketch
from ingest.model import Processed
from tests.aggregate.turns import Crash, aggregate, append, closes, ledger
from tests.sketched import (
    batch_of,
    bins_of_everything,
    counted_of_everything,
    partials_of,
    record_of,
    sets_of,
    spans_of_client,
    turn_of,
)

QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


def split(spans: Sequence[dict[str, Any]], sent_of_ten: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What a client sends by its trace ids, and what it sketches; the sent spans say at which rate they were chosen."""
    threshold = 2**56 - round(2**56 * sent_of_ten / 10)
    text = f"{threshold:014x}".rstrip("0")
    sent = [span | {"threshold": text} for span in spans if int(span["trace_id"][18:], 16) >= threshold]
    return sent, [span for span in spans if int(span["trace_id"][18:], 16) < threshold]


def quantiles(records: Sequence[Processed], metric: str) -> list[float]:
    bins = bins_of_everything(turn_of(records), metric)
    return sketch.quantiles(sketch.merge([part.tobytes() for part in bins]), QUANTILES)


@given(seed=st.integers(0, 10_000), count=st.integers(1, 60))
@settings(max_examples=30, deadline=None)
def test_spans_and_their_sketch_with_our_mapping_give_the_same_partials_bin_for_bin(seed: int, count: int) -> None:
    spans = spans_of_client(seed, count)
    whole = turn_of([record_of([batch_of(1, spans=spans)])])
    sketched = turn_of([record_of([batch_of(1, sketches=sets_of(spans))])])
    assert partials_of(sketched.rollups) == partials_of(whole.rollups)
    assert {row.series_id: row for row in sketched.series} == {row.series_id: row for row in whole.series}


def test_a_client_that_sketches_nine_of_ten_gives_the_figures_of_one_that_sends_everything() -> None:
    spans = spans_of_client(1, 900)
    sent, left = split(spans, 1)
    assert 50 < len(sent) < 130
    whole = [record_of([batch_of(1, spans=spans)])]
    sampled = [record_of([batch_of(2, spans=sent, unsent="sketched"), batch_of(3, sketches=sets_of(left))])]
    assert counted_of_everything(turn_of(sampled)) == counted_of_everything(turn_of(whole))
    assert counted_of_everything(turn_of(whole))[0] == 900
    assert partials_of(turn_of(sampled).rollups) == partials_of(turn_of(whole).rollups)
    exact = np.sort([span["duration_us"] for span in spans])
    found = quantiles(sampled, "duration")
    due = [float(exact[int(q * (len(exact) - 1))]) for q in QUANTILES]
    assert found == pytest.approx(due, rel=sketch.ALPHA)


def test_with_a_mapping_of_two_percent_counts_are_exact_and_quantiles_within_the_stated_bound() -> None:
    spans = spans_of_client(2, 900)
    sent, left = split(spans, 1)
    coarse = sets_of(left, accuracy=0.02)
    sampled = [record_of([batch_of(2, spans=sent, unsent="sketched"), batch_of(3, sketches=coarse)])]
    whole = [record_of([batch_of(1, spans=spans)])]
    assert counted_of_everything(turn_of(sampled)) == counted_of_everything(turn_of(whole))
    exact = np.sort([span["duration_us"] for span in spans])
    due = [float(exact[int(q * (len(exact) - 1))]) for q in QUANTILES]
    assert quantiles(sampled, "duration") == pytest.approx(due, rel=1.02 * 1.01 - 1)


def test_without_sketches_the_sent_spans_stand_for_those_left_out() -> None:
    spans = spans_of_client(3, 2_000)
    sent, _ = split(spans, 5)
    halves = [record_of([batch_of(2, spans=sent[:900]), batch_of(3, spans=sent[900:])])]
    assert counted_of_everything(turn_of(halves))[0] == 2 * len(sent)
    errors = sum(span.get("http_status", 200) >= 400 or span.get("http_status") == 0 for span in sent)
    assert counted_of_everything(turn_of(halves))[1] == 2 * errors
    bins = np.concatenate(bins_of_everything(turn_of(halves), "duration"))
    assert bins["count"].sum() == 2 * len(sent)


def test_a_batch_of_sketches_that_comes_again_counts_once_in_one_turn_and_in_a_later_one() -> None:
    spans = spans_of_client(4, 200)
    sent, left = split(spans, 3)
    batch = batch_of(1, spans=sent, sketches=sets_of(left))
    once = turn_of([record_of([batch])])
    twice = turn_of([record_of([batch]), record_of([batch])])
    beside = turn_of([record_of([batch, batch_of(2, spans=spans[:5])])], known={(1, bytes(15) + b"\2")})
    later = turn_of([record_of([batch])], known={(1, bytes(15) + b"\1")})
    assert partials_of(twice.rollups) == partials_of(once.rollups)
    assert partials_of(beside.rollups) == partials_of(once.rollups)
    assert partials_of(later.rollups) == {}
    noted = {row.outcome: row.spans for row in twice.ledger}
    assert noted["noted:sketched"] == len(left)
    assert noted["received"] == 2 * len(sent)
    assert "noted:sketched" not in {row.outcome for row in later.ledger}


def test_the_order_of_arrival_does_not_matter() -> None:
    spans = spans_of_client(5, 120)
    sent, left = split(spans, 3)
    batches = [batch_of(1, spans=sent, unsent="sketched")]
    batches += [batch_of(2 + part, sketches=sets_of(left[part::2])) for part in range(2)]
    records = [record_of([batch]) for batch in batches]
    orders = [partials_of(turn_of(order).rollups) for order in permutations(records)]
    assert all(order == orders[0] for order in orders)
    assert orders[0] == partials_of(turn_of([record_of(batches)]).rollups)


def test_every_window_of_a_series_is_one_partial_of_a_turn() -> None:
    spans = spans_of_client(6, 300)
    record = record_of([batch_of(1, spans=spans[:150], sketches=sets_of(spans[150:])), batch_of(2, spans=spans[:3])])
    rollups = turn_of([record, record_of([batch_of(3, sketches=sets_of(spans[:50]))])]).rollups
    assert len({*zip(rollups.series_id.tolist(), rollups.window.tolist(), strict=True)}) == len(rollups)


def test_what_a_forger_counts_beyond_32_bits_stays_at_the_most_a_bin_holds() -> None:
    """One bin of the sum of 5,000 batches that claim a million spans each."""
    record = record_of([batch_of(1, sketches=sets_of([spans_of_client(7, 1)[0] | {"duration_us": 7}]))])
    record.summaries.spans[:] = 5_000_000_000
    record.summary_bins.count[:] = 5_000_000_000
    rollups = turn_of([record]).rollups
    assert {*rollups.spans.tolist()} == {5_000_000_000}
    assert {*rollups.bins["count"].tolist()} == {2**32 - 1}


@pytest.mark.parametrize("step", ["", "after write"])
async def test_the_store_has_what_was_sketched_once_even_when_the_aggregator_dies_and_the_client_retries(
    dsn: str, pool: "asyncpg.Pool[Any]", step: str
) -> None:
    spans = spans_of_client(8, 200)
    sent, left = split(spans, 3)
    batch = batch_of(1, spans=sent, sketches=sets_of(left))
    await append(pool, record_of([batch]), record_of([batch]))
    if step:
        with pytest.raises(Crash):
            await aggregate(dsn, step=step)
    await aggregate(dsn)
    row = await pool.fetchrow(
        "SELECT sum(spans)::bigint AS spans, sum(errors)::bigint AS errors FROM rollup_10s"
        " JOIN series USING (app_id, series_id) WHERE view = 'all'"
    )
    errors = sum(span.get("http_status", 200) >= 400 or span.get("http_status") == 0 for span in spans)
    assert (row["spans"], row["errors"]) == (200, errors)
    found = await ledger(pool)
    assert closes(found)
    assert found["noted:sketched"] == len(left)
    assert found["received"] == 2 * len(sent)
