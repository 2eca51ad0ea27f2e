"""The part of the command line about personal data: `firsthop privacy …`. See `ingest.cli` for exit codes."""

import argparse
import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ingest.compose.home import StartError
from ingest.errors import Unavailable
from ingest.settings import Settings

KINDS = ("url", "header", "attribute", "message", "path", "sql", "user_agent")

SUBJECTS = {
    "session": "session id as the client sent it",
    "user": "user id as the client sent it",
    "installation": "installation id as the client sent it",
    "pseudonym": "20 hex digits, as they are stored",
}
"""Who can be erased."""


def add_to(privacy: argparse.ArgumentParser) -> None:
    """Adds the actions."""
    actions = privacy.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name: str, act: Callable[[Settings, argparse.Namespace], None], about: str) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=about, description=about)
        action.set_defaults(act=act)
        action.add_argument("--json", action="store_true", help="print JSON")
        return action

    shown = add("explain", _explain, "which rule does what to a text; stores nothing")
    shown.add_argument("text")
    shown.add_argument("--kind", choices=KINDS, help="what the text is; attribute with --key, else message")
    shown.add_argument("--key", default="", help="name of the attribute or header it is the value of")
    tried = add("preview", _preview, "what a policy does to a sample of texts, or to a body as clients send it")
    tried.add_argument("file", type=Path, help="lines; JSON lines with text, kind, key; or a body in JSON")
    for action in (shown, tried):
        policy = action.add_mutually_exclusive_group()
        policy.add_argument("--app", help="under the policy in force for this app; needs the database")
        policy.add_argument("--policy", type=Path, metavar="FILE", help="under this policy; without: the built-in one")
    put = add("apply", _apply, "put a policy in force")
    put.add_argument("file", type=Path, help="TOML; an empty file takes the app's own policy away")
    put.add_argument("--app", default="default", metavar="NAME", help="without: for every app that has none of its own")
    listed = add("policies", _policies, "every policy that was applied, and which are in force")
    listed.add_argument("--show", type=int, metavar="VERSION", help="print the text of this one")
    add(
        "forget", _forget, "forget the keys of pseudonyms that nothing stored needs; `firsthop serve` does it by itself"
    )
    _add_erase(add("erase", _erase, "erase what is stored about a user, and whatever of it comes late"))


def _add_erase(erase: argparse.ArgumentParser) -> None:
    erase.add_argument("--app", required=True, metavar="NAME")
    who = erase.add_mutually_exclusive_group(required=True)
    for kind, about in SUBJECTS.items():
        who.add_argument(f"--{kind}", type=_given, metavar="ID", help=about)


def _given(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty id names nobody")
    return text


def run(settings: Settings, given: argparse.Namespace) -> None:
    """Runs the action that was asked for.

    Raises:
        StartError, PolicyError: it cannot be done; the message says what would do.
    """
    try:
        given.act(settings, given)
    except Unavailable as error:
        raise StartError(error.message) from None


def _explain(settings: Settings, given: argparse.Namespace) -> None:
    from ingest.compose.privacy import explained, policy_of  # noqa: PLC0415

    policy = asyncio.run(policy_of(settings, given.app, given.policy))
    kind = given.kind or ("attribute" if given.key else "message")
    found = explained(policy, kind, given.key, given.text)
    if given.json:
        print(json.dumps(found))
        return
    print(f"before  {found['before']}")
    print(f"after   {_after(found['after'])}")
    for number, step in enumerate(found["steps"], 1):
        print(f"{number:4}. {step['rule']}: {_shown(step['found'])} → {_after(step['put'])}")
    if not found["steps"]:
        print("        no rule finds anything")


def _preview(settings: Settings, given: argparse.Namespace) -> None:
    from ingest.compose.privacy import policy_of, previewed  # noqa: PLC0415

    try:
        data = given.file.read_bytes()
    except OSError as error:
        raise StartError(f"{given.file} cannot be read: {error.strerror}") from None
    found = previewed(asyncio.run(policy_of(settings, given.app, given.policy)), data, settings)
    if given.json:
        print(json.dumps(found))
        return
    for change in found["changed"]:
        label = " ".join(dict.fromkeys(part for part in (change["where"], change["key"]) if part))
        print(f"{label}\n  - {_shown(change['before'])}\n  + {_shown(change['after'])}" if label else _lines(change))
    rules = ", ".join(f"{rule} {count}" for rule, count in found["rules"].items())
    print(f"{len(found['changed'])} of {found['texts']} texts change{': ' + rules if rules else ''}")
    if found["left_out"]:
        print(f"left out: {', '.join(f'{key} ({count})' for key, count in found['left_out'].items())}")


def _lines(change: Mapping[str, str]) -> str:
    return f"- {_shown(change['before'])}\n+ {_shown(change['after'])}"


def _apply(settings: Settings, given: argparse.Namespace) -> None:
    from ingest.compose.privacy import apply  # noqa: PLC0415

    done = asyncio.run(apply(settings, given.file, given.app))
    print(json.dumps(done) if given.json else f"version {done['version']} is in force within 5 seconds")


def _policies(settings: Settings, given: argparse.Namespace) -> None:
    from ingest.compose.privacy import history  # noqa: PLC0415

    applied = asyncio.run(history(settings))
    if given.show is not None:
        applied = [policy for policy in applied if policy["version"] == given.show]
        if not applied:
            raise StartError("there is no policy of this version; `firsthop privacy policies` lists those there are")
    if given.json:
        print(json.dumps(applied))
    elif given.show is not None:
        print(applied[0]["text"], end="")
    else:
        for policy in applied:
            print(f"version {policy['version']}  {policy['app']}  {policy['applied_at']}  {policy['state']}")
        if not applied:
            print("none was ever applied: the built-in policy is in force for every app")


def _forget(settings: Settings, given: argparse.Namespace) -> None:
    from ingest.compose.privacy import forget  # noqa: PLC0415

    done = forget(settings)
    print(json.dumps(done) if given.json else f"kept: the keys of periods since {done['kept_since']}")


def _erase(settings: Settings, given: argparse.Namespace) -> None:
    from ingest.compose.erase import erase  # noqa: PLC0415

    receipt = asyncio.run(erase(settings, given.app, {kind: getattr(given, kind) for kind in SUBJECTS}))
    print(json.dumps(receipt) if given.json else "\n".join(f"{name}: {value}" for name, value in receipt.items()))


def _after(text: str | None) -> str:
    return "(left out)" if text in (None, "\0") else _shown(str(text))


def _shown(text: Any) -> str:
    """One line, without what would move the cursor."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(text))
