"""What the commands `firsthop privacy …` do; `ingest.cli_privacy` prints it."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.app_file import parse
from ingest.compose import policies
from ingest.compose.home import Home, StartError
from ingest.compose.sample import read_sample
from ingest.compose.service import administered
from ingest.errors import Unavailable
from ingest.pipeline.scopes import Scope
from ingest.pipeline.texts import Texts, judge, replacing
from ingest.policy_book import EVERY_APP, PolicyBook
from ingest.settings import AppPolicy, Settings
from ingest.store.policies import PostgresPolicies
from privacy import pseudonym, scrub
from privacy.explain import explain
from privacy.policy_file import PolicyError
from privacy.pseudonyms import PERIOD_US

PREVIEW_KEY = b"preview"
"""Pseudonyms shown are made with it: nothing that is printed leads to anything stored."""


async def policy_of(settings: Settings, app: str | None, file: Path | None) -> AppPolicy:
    """The policy of a file, or the one in force for an app, or the built-in one.

    Raises:
        PolicyError: the file is no policy.
        StartError: there is no such app, or its policy cannot be read.
    """
    if file is not None:
        try:
            return AppPolicy(0, *parse(policies.read(file)))
        except PolicyError as error:
            raise PolicyError(f"{file}: {error}") from None
    if app is None:
        return AppPolicy()
    async with administered(settings) as pool:
        book = PolicyBook(PostgresPolicies(pool), parse)
        await book.refresh()
        try:
            return book.of(_app_id(await policies.app_ids(pool), app))
        except Unavailable as error:
            raise StartError(f"{error}; `firsthop doctor` says why") from None


def explained(policy: AppPolicy, kind: str, key: str, text: str) -> Mapping[str, Any]:
    """What becomes of a text under a policy, and every step on the way."""
    scope = Scope(EVERY_APP, policy, PREVIEW_KEY)
    judged = judge(Texts([kind], [key], [text]), 0 if kind == "attribute" else 1, scope)
    put = replacing(scope)
    steps = [(step.rule, step.original, step.replacement) for step in explain(kind, key, text, policy.rules, put)]
    scrubbed = scrub(kind, key, text, policy.rules, put)
    if not judged.left_out and judged.texts[0] != scrubbed:
        steps.append(("identity", text, judged.texts[0]))
    return {
        "policy": policy.version,
        "kind": kind,
        "key": key,
        "before": text,
        "after": None if judged.left_out else judged.texts[0],
        "steps": [dict(zip(("rule", "found", "put"), step, strict=True)) for step in steps],
    }


def previewed(policy: AppPolicy, data: bytes, settings: Settings) -> Mapping[str, Any]:
    """What a policy would do to a sample: the texts that change, finds by rule, attributes left out.

    Raises:
        StartError: the sample cannot be read.
    """
    sample = read_sample(data, settings.limits())
    judged = judge(sample.texts, sample.columns, Scope(EVERY_APP, policy, PREVIEW_KEY))
    left_out = set(judged.left_out)
    rows = zip(sample.where, sample.texts.keys, sample.texts.texts, judged.texts, strict=True)
    changed = [
        {"where": where, "key": key, "before": before, "after": after}
        for row, (where, key, before, after) in enumerate(rows)
        if before != after and row not in left_out
    ]
    changed += [
        {"where": column, "key": column, "before": text, "after": pseudonym(PREVIEW_KEY, text)}
        for column, text in sample.identities
    ]
    return {
        "policy": policy.version,
        "texts": len(judged.texts) + len(sample.identities),
        "changed": changed,
        "left_out": dict(Counter(sample.texts.keys[row] for row in judged.left_out)),
        "rules": dict(Counter(judged.hits).most_common()),
    }


async def apply(settings: Settings, file: Path, app: str) -> Mapping[str, Any]:
    """Puts a file in force for an app, or with `default` for every app that has none of its own.

    Raises:
        PolicyError: the file is no policy.
        StartError: there is no such app, or `firsthop serve` applies a file of its own for it.
    """
    try:
        text = policies.read(file)
    except PolicyError as error:
        raise PolicyError(f"{file}: {error}") from None
    _check_no_other(Home(settings["FIRSTHOP_DATA"]).policies_path / f"{app}.toml", file)
    async with administered(settings) as pool:
        app_id = _app_id(await policies.app_ids(pool), app)
        return {"app": app, "version": await PostgresPolicies(pool).apply(app_id, text)}


async def history(settings: Settings) -> Sequence[Mapping[str, Any]]:
    """Every policy that was applied, newest first, with its text and what became of it."""
    async with administered(settings) as pool:
        names = {app_id: name for name, app_id in (await policies.app_ids(pool)).items()}
        applied = await PostgresPolicies(pool).history()
    newest = {text.app_id: text.version for text in reversed(applied)}
    return [
        {
            "app": names.get(given.app_id, str(given.app_id)),
            "version": given.version,
            "applied_at": _utc(given.applied_at_us),
            "state": _state(given.text, newest=given.version == newest[given.app_id]),
            "text": given.text,
        }
        for given in applied
    ]


def forget(settings: Settings) -> Mapping[str, Any]:
    """Forgets the keys of pseudonyms that nothing stored can hold any more."""
    kept = Home(settings["FIRSTHOP_DATA"]).forget_before(settings.first_period(time.time_ns() // 1000))
    return {"kept_since": _utc(kept.pseudonym_period * PERIOD_US)}


def _check_no_other(own: Path, file: Path) -> None:
    if own.exists() and own.resolve() != file.resolve():
        raise StartError(f"{own} holds this policy: edit it, or remove it and apply again")


def _state(text: str, *, newest: bool) -> str:
    if not newest:
        return "replaced"
    if not text.strip():
        return "taken away"
    try:
        parse(text)
    except PolicyError:
        return "cannot be read by this version"
    return "in force"


def _app_id(known: Mapping[str, int], app: str) -> int:
    if app not in known:
        raise StartError("there is no app of this name; `firsthop app list` shows those there are")
    return known[app]


def _utc(at_us: int) -> str:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
