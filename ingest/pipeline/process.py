"""The way of a micro-batch through the pipeline, in one function that reads like it.

    validate → honour_consent → scrub → anchor_clock → judge_phases → classify_device → locate → name_networks
    → name_routes → identify → weigh → place_sketches → count → sample → link_traces

Each verb is a file and a pure function: no I/O, no clock, no randomness; what a stage needs of the world is an
argument. Nothing but this file calls a stage. Spans are never removed on the way: a span that a stage rejects gets
its outcome in `fates`, and the other columns are computed beside it, so that a row number means the same throughout.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ingest.device_classes import DEVICES, Agent, DeviceTable, nobody
from ingest.model import (
    I64,
    U8,
    Assigned,
    Kept,
    Ledger,
    Mask,
    Notes,
    Origin,
    Processed,
    Reception,
    Repair,
    SpanBatch,
    no_remarks,
)
from ingest.outcome import Note, Outcome
from ingest.pipeline.anchor_clock import anchor_clock
from ingest.pipeline.classify_device import classify_device
from ingest.pipeline.count import count
from ingest.pipeline.findings import EVERYTHING, Found, Noted
from ingest.pipeline.honour_consent import honour_consent
from ingest.pipeline.identify import identify
from ingest.pipeline.judge_phases import judge_phases
from ingest.pipeline.link_traces import link_traces
from ingest.pipeline.locate import locate
from ingest.pipeline.name_networks import name_networks
from ingest.pipeline.name_routes import name_routes, name_sketched
from ingest.pipeline.place_sketches import place_sketches
from ingest.pipeline.sample import FixedRates, sample
from ingest.pipeline.scopes import Scopes, find_scopes
from ingest.pipeline.scrub import scrub
from ingest.pipeline.strings import StringTable, compact
from ingest.pipeline.tell_signals import tell_signals, tell_sketched
from ingest.pipeline.validate import validate
from ingest.pipeline.weigh import weigh
from ingest.ports import Rates
from ingest.settings import AppPolicy, Policy

_GRADES = np.array([Note.CLOCK_A, Note.CLOCK_B, Note.CLOCK_C, Note.CLOCK_D, Note.CLOCK_E, Note.CLOCK_F])
"""By `ClockQuality`."""
_REPAIRS = [(repair, Note[f"REPAIRED_{repair.name}"]) for repair in Repair]


def unknown(address: str) -> str:
    """What is known of addresses without a database."""
    del address
    return ""


def process(
    batch: SpanBatch,
    receptions: Sequence[Reception],
    policy: Policy,
    *,
    policy_of: Callable[[int], AppPolicy],
    country_of: Callable[[str], str],
    provider_of: Callable[[str], str] = unknown,
    agent_of: Callable[[str], Agent] = nobody,
    device_table: DeviceTable = DEVICES,
    rates: Rates | None = None,
) -> Processed:
    """Everything that is decided about a micro-batch before it is journaled.

    Args:
        batch: the spans of many bodies, as decoded.
        receptions: what the transport knows of each body; receptions[i] belongs to row i of `batch.bodies`.
        policy: limits, rates and keys.
        policy_of: app → its privacy policy.
        country_of: ISO country code of an address, "" when unknown.
        provider_of: organisation that runs the network of an address, "" when unknown.
        agent_of: what a User-Agent says of device and system.
        device_table: which devices are low, mid and high.
        rates: what may be kept of how many; None: fixed ones, those of the policy.

    Returns:
        The record to journal: no address, no User-Agent, no text that was not scrubbed.
    """
    fates = validate(batch.spans, policy.limits)
    scopes = find_scopes(receptions, policy.ring, policy_of)
    batch, fates, extents = honour_consent(batch, receptions, scopes, fates)
    batch, scrubs = scrub(batch, scopes)
    anchored = anchor_clock(batch, receptions, policy, scopes)
    fates = np.where(fates == Outcome.KEPT, anchored.fates, fates)
    accepted = fates == Outcome.KEPT
    batch, phase_notes = judge_phases(batch)
    batch = tell_signals(batch)

    table = StringTable(batch.strings)
    devices = classify_device(batch, receptions, agent_of, device_table, table)
    countries = locate(batch, receptions, country_of, table)
    batch = name_networks(batch, receptions, scopes, provider_of, table)
    routes = name_routes(batch, table)
    identities = identify(batch, receptions, scopes, extents)
    weighed = weigh(batch, policy.sampling)
    origins = _origins(receptions)[batch.body_of_span]
    of_clients = origins == Origin.CLIENT
    placed = place_sketches(batch, receptions, anchored, extents, policy)
    found = Found(
        accepted=accepted & of_clients,
        anchored=anchored,
        devices=devices,
        countries=countries,
        routes=routes,
        identities=identities,
        placed=placed,
        sketched_routes=name_sketched(batch, table),
        sketched_signals=tell_sketched(batch),
    )
    series, counted, summaries, summary_bins = count(batch, receptions, found, weighed, table)
    agreed = extents[batch.spans.resource] == EVERYTHING
    sampled = sample(
        batch,
        accepted & agreed,
        app_of_body=np.array([reception.app_id for reception in receptions], dtype=np.int32),
        origins=origins,
        devices=devices,
        routes=routes,
        strings=table.strings,
        weighed=weighed,
        rates=rates or FixedRates(policy.sampling),
    )
    kept = accepted & sampled.kept & agreed
    counted_ends = np.where(agreed, Outcome.COUNTED_ONLY, Outcome.COUNTED_NO_CONSENT)
    # What may only be counted has no place at all when it is a backend's.
    uncounted_ends = np.where(agreed, Outcome.NOT_SAMPLED, Outcome.NO_CONSENT)
    fates = np.where(accepted & ~kept, np.where(of_clients, counted_ends, uncounted_ends), fates)
    sample_of = replace(batch.select(kept), strings=table.strings, remarks=no_remarks())
    linked = link_traces(sample_of, scopes, _partners(receptions, scopes))
    repaired = batch.spans.repairs.any()
    notes: list[Noted] = [
        *phase_notes,
        (Note.CLOCK_CONFLICT, anchored.conflict),
        (Note.THRESHOLD_FORGED, weighed.forged),
        (Note.THRESHOLD_CLAMPED, weighed.clamped),
        (Note.WEIGHTED, of_clients & (weighed.stands_for > 1)),
        (Note.STRATUM_THINNED, sampled.thinned),
        (Note.UNSAMPLED, of_clients & agreed & sampled.barred),
        *((note, (batch.spans.repairs >> repair & 1).astype(np.bool_)) for repair, note in _REPAIRS if repaired),
        *((note, _spread(kept, about)) for note, about in linked.notes),
    ]
    assigned = Assigned(
        start_at_us=anchored.start_at_us,
        clock_quality=anchored.quality,
        clock_err_ms=anchored.err_ms,
        route=routes,
        country=countries[batch.spans.resource],
        device_class=devices.classes[batch.spans.resource],
        os=devices.os[batch.spans.resource],
        weight=sampled.weight,
        stratum=sampled.stratum,
        origin=origins,
        randomness=weighed.randomness,
        clock_skew_ms=anchored.skew_ms,
        clock_steps=batch.bodies.steps[batch.body_of_span],
        clock_conflict=anchored.conflict,
        upload_delay_ms=anchored.upload_delay_ms,
        clock_segment=anchored.segment,
        clock_offset_us=anchored.offset_us,
        server_us=np.zeros(len(batch.spans), dtype=np.int64),
    ).take(kept)
    return compact(
        Processed(
            strings=table.strings,
            ledger=_close_ledger(batch, receptions, fates, scopes),
            drops=batch.drops,
            series=series,
            counted=counted,
            kept=Kept(batch=linked.batch, assigned=replace(assigned, server_us=linked.server_us)),
            scrubs=scrubs,
            notes=_note(batch, accepted, anchored.quality, notes, placed.spans),
            summaries=summaries,
            summary_bins=summary_bins,
        )
    )


def _origins(receptions: Sequence[Reception]) -> U8:
    """(m,) who measured the spans of each body."""
    return np.array([Origin.BACKEND if each.trusted else Origin.CLIENT for each in receptions], dtype=np.uint8)


def _partners(receptions: Sequence[Reception], scopes: Scopes) -> Mask:
    """(m,) bodies whose trace ids their app goes by in any case: of its backends, and of pages of its partners."""
    allowed = [scope.policy.traces.partners for scope in scopes.all]
    pairs = zip(receptions, scopes.of_body.tolist(), strict=True)
    return np.array([each.trusted or each.origin in allowed[scope] for each, scope in pairs], dtype=np.bool_)


def _spread(kept: Mask, about: Mask) -> Mask:
    """(n,) of all spans what is (k,) of the kept ones."""
    spread = np.zeros(len(kept), dtype=np.bool_)
    spread[kept] = about
    return spread


def _note(batch: SpanBatch, accepted: Mask, quality: U8, noted: Sequence[Noted], sketched: I64) -> Notes:
    """How many accepted spans of each body every note is about; `sketched` (len(Note), m) counts those not sent."""
    bodies, of_span, remarks = len(batch.bodies), batch.body_of_span, batch.remarks
    counts = sketched.copy()
    np.add.at(counts, (remarks.note, remarks.body), remarks.spans)
    cells = quality[accepted].astype(np.int64) * bodies + of_span[accepted]
    counts[_GRADES] += np.bincount(cells, minlength=len(_GRADES) * bodies).reshape(len(_GRADES), bodies)
    for note, about in noted:
        if about.any():
            counts[note] += np.bincount(of_span[about & accepted], minlength=bodies)
    note_of, body = np.nonzero(counts)
    return Notes(body=body.astype(np.int32), note=note_of.astype(np.uint8), spans=counts[note_of, body])


def _close_ledger(batch: SpanBatch, receptions: Sequence[Reception], fates: U8, scopes: Scopes) -> Ledger:
    """One row per body; every span of it stands under exactly one outcome."""
    versions = np.array([scope.policy.version for scope in scopes.all], dtype=np.int32)
    bodies = len(batch.bodies)
    cells = batch.body_of_span + fates.astype(np.int64) * bodies
    outcomes = np.bincount(cells, minlength=len(Outcome) * bodies).reshape(len(Outcome), bodies).astype(np.int32)
    return Ledger(
        app_id=np.array([reception.app_id for reception in receptions], dtype=np.int32),
        batch_id=batch.bodies.batch_id,
        received_at_us=np.array([reception.received_at_us for reception in receptions], dtype=np.int64),
        spans=np.bincount(batch.body_of_span, minlength=bodies).astype(np.int32),
        outcomes=outcomes,
        policy_version=versions[scopes.of_body],
    )
