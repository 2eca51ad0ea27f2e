"""The synthetic world: the same seed gives the same bytes, and what it sends could have been measured."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decode.formats import DECODERS, Format
from ingest.geo import Geo
from ingest.model import Phase
from ingest.settings import Limits
from loadtest.bodies import DIALECTS, bodies
from loadtest.countries import write_countries
from loadtest.timing import PHASES, UNKNOWN
from loadtest.visits import ROLLOUT_US, Batch, visits
from loadtest.world import APPS, COUNTRIES, DEVICES

NOW_US = 1_790_000_000_000_000
FORMATS = {
    "native": Format.NATIVE,
    "native-json": Format.NATIVE,
    "otlp": Format.OTLP_PROTOBUF,
    "otlp-json": Format.OTLP_JSON,
}


def made(seed: int = 1, count: int = 40, release_at_us: int = NOW_US, app: str = "", spans: int = 0) -> list[Batch]:
    return list(visits(np.random.default_rng(seed), [NOW_US] * count, release_at_us, app=app, spans=spans))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(dialect: str) -> None:
    once, again, other = ([DIALECTS[dialect].encode(batch) for batch in made(seed, count=5)] for seed in (1, 1, 2))
    assert once == again
    assert once != other


@given(seed=st.integers(0, 2**32), spans=st.sampled_from([1, 2, 7, 30, 100]))
@settings(max_examples=25)
def test_phases_sum_to_at_most_the_duration_and_are_never_zero_for_unknown(seed: int, spans: int) -> None:
    for batch in made(seed, count=3, spans=spans):
        phases = np.stack([batch.columns[f"{phase}_us"] for phase in PHASES])
        assert batch.spans == spans
        assert (np.where(phases > 0, phases, 0).sum(axis=0) <= batch.columns["duration_us"]).all()
        assert ((phases > 0) | (phases == -1) | (phases == UNKNOWN)).all()
        assert (batch.columns["start_us"] + batch.columns["duration_us"] <= batch.sealed_mono_us).all()
        for code in ("name", "method", "url", "route", "error_type", "protocol", "screen"):
            assert batch.columns[code].max() <= len(batch.strings)


def test_children_lie_within_their_screen_and_share_its_trace() -> None:
    for batch in made():
        row_of = {span_id.tobytes(): row for row, span_id in enumerate(batch.span_ids)}
        ends = batch.columns["start_us"] + batch.columns["duration_us"]
        for row in np.flatnonzero(batch.parent_span_ids.any(axis=1)).tolist():
            parent = row_of[batch.parent_span_ids[row].tobytes()]
            assert batch.columns["trace"][row] == batch.columns["trace"][parent]
            assert batch.columns["start_us"][row] >= batch.columns["start_us"][parent]
            assert ends[row] <= ends[parent]


def test_most_connections_are_reused_and_some_requests_fail_without_an_answer() -> None:
    batches = made(count=400)
    requests = np.concatenate([batch.columns["http_status"][batch.columns["method"] > 0] for batch in batches])
    tls = np.concatenate([batch.columns["tls_us"][batch.columns["method"] > 0] for batch in batches])
    assert 0.65 < (tls == -1).mean() < 0.75
    assert 0.003 < (requests == 0).mean() < 0.03
    assert (requests >= 400).any()


def test_a_release_rolls_out_from_nobody_to_nearly_half() -> None:
    def share(age_us: int) -> float:
        batches = made(count=400, release_at_us=NOW_US - age_us, app="shop", spans=1)
        return sum(batch.sender.version == APPS[0].versions[-1] for batch in batches) / len(batches)

    assert share(0) == 0
    assert 0.1 < share(ROLLOUT_US // 2) < 0.35
    assert 0.35 < share(ROLLOUT_US * 2) < 0.55


def test_the_slow_release_is_slow_only_where_the_story_says() -> None:
    story = APPS[0].regressions[0]
    slow: list[int] = []
    usual: list[int] = []
    for batch in made(count=3000, release_at_us=0, app="shop"):
        checkout = [*batch.strings].index("/checkout") + 1 if "/checkout" in batch.strings else -1
        request_us = batch.columns["request_us"][
            (batch.columns["route"] == checkout) & (batch.columns["request_us"] > 0)
        ]
        sender = batch.sender
        told = (sender.version, sender.device.device_class, sender.country.code)
        (slow if told == (story.version, story.device_class, story.country) else usual).extend(request_us)
    assert np.median(slow) > 20 * np.median(usual)


def test_urls_and_messages_carry_the_personal_data_that_scrubbing_has_to_find() -> None:
    text = "\n".join(text for batch in made(count=300) for text in batch.strings)
    for sign in ("@example.com", "%2B1555", "4111111111111111", "DE89370400440532013000", "eyJhbGciOiJIUzI1NiJ9"):
        assert sign in text


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_decodes_to_the_spans_that_were_made(dialect: str) -> None:
    batches = made(count=20, spans=30)
    decoded = DECODERS[FORMATS[dialect]]([DIALECTS[dialect].encode(batch) for batch in batches], Limits())
    spans = decoded.batch.spans

    assert not decoded.faults
    assert spans.duration_us.tolist() == [us for batch in batches for us in batch.columns["duration_us"].tolist()]
    urls = [["", *batch.strings][code] for batch in batches for code in batch.columns["url"]]
    assert [decoded.batch.strings[code] for code in spans.url] == urls
    for phase in (Phase.TCP, Phase.TLS):
        sent = np.concatenate([batch.columns[f"{phase.name.lower()}_us"] for batch in batches])
        answered = np.concatenate([batch.columns["ttfb_us"] for batch in batches]) >= 0
        assert spans.phases_us[phase][answered].tolist() == sent[answered].tolist()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_prepared_bodies_repeat_spans_but_never_a_batch_id(dialect: str) -> None:
    endless = bodies(dialect, "identity", 1000, sealed_at_us=NOW_US, seed=3)
    sent = [next(endless).body for _ in range(24)]
    decoded = DECODERS[FORMATS[dialect]](sent, Limits())
    assert not decoded.faults
    assert len(np.unique(decoded.batch.bodies.batch_id, axis=0)) == len(sent)


def test_the_country_database_knows_every_network_but_the_unknown_one(tmp_path: Path) -> None:
    write_countries(tmp_path / "countries.mmdb")
    geo = Geo(str(tmp_path / "countries.mmdb"))
    for country in COUNTRIES:
        assert geo.country(country.network.replace("0/", "7/").split("/")[0]) == country.code
    for batch in made(count=100):
        assert geo.country(batch.sender.address) == batch.sender.country.code


def test_every_app_has_devices_and_every_screen_names_endpoints_there_are() -> None:
    for app in APPS:
        assert {device.platform for device in DEVICES} >= set(app.platforms)
        for screen in app.screens:
            assert all(endpoint < len(app.endpoints) for endpoint, _ in screen.requests)
