"""Pages of the synthetic world: the same seed gives the same, signals are what they say, weak devices are slower."""

import json
from pathlib import Path

import numpy as np

from client_sdk_spec.encoder import encode
from ingest.decode.native import decode_native
from ingest.model import Signal
from ingest.settings import Limits
from loadtest.pages import SIGNALS, PageBatch, page_of
from loadtest.visits import make_sender

NOW_US = 1_790_000_000_000_000


def made(seed: int, count: int) -> list[PageBatch]:
    rng = np.random.default_rng(seed)
    senders = [make_sender(rng, NOW_US, 0) for _ in range(count)]
    return [page_of(rng, sender, NOW_US) for sender in senders]


def test_the_same_seed_gives_the_same_pages_and_another_seed_others() -> None:
    once, again, other = ([encode(page.logical) for page in made(seed, 5)] for seed in (1, 1, 2))
    assert once == again
    assert once != other


def test_its_signals_are_those_of_the_specification() -> None:
    words = {signal.word: int(signal) for signal in Signal}
    assert words.items() >= SIGNALS.items()
    meaning = json.loads(Path("client_sdk_spec/fields.json").read_text())["columns"]["signal"]["meaning"]
    assert all(f"{number} {word}" in meaning for word, number in SIGNALS.items())


def test_every_page_has_its_load_and_every_vital_once_before_it_was_sealed() -> None:
    decoded = decode_native([encode(page.logical) for page in made(3, 200)], Limits())
    assert not decoded.faults
    spans = decoded.batch.spans
    for signal in (Signal.PAGE, Signal.LCP, Signal.INP, Signal.CLS, Signal.FCP, Signal.TTFB):
        assert np.bincount(spans.resource[spans.signal == signal], minlength=200).tolist() == [1] * 200
    assert {Signal.EXCEPTION, Signal.LONG_TASK} <= set(spans.signal.tolist())
    sealed = decoded.batch.bodies.sealed_mono_us[decoded.batch.body_of_span]
    assert (spans.start_us + np.where(spans.signal == Signal.CLS, 0, spans.duration_us) <= sealed).all()


def test_weak_devices_see_their_pages_later() -> None:
    lcp: dict[str, list[int]] = {}
    for page in made(4, 600):
        value = next(span["duration_us"] for span in page.logical["spans"] if span["name"] == "LCP")
        lcp.setdefault(page.sender.device.device_class, []).append(value)
    assert np.median(lcp["low"]) > 1.5 * np.median(lcp["high"])
