"""`firsthop privacy …` as an operator uses it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from client_sdk_spec import encoder
from ingest.cli import main
from ingest.store.keys import PostgresKeys
from ingest.store.policies import PostgresPolicies
from tests.test_serve import firsthop

JANE = "jane@shop.example"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command without a database; its exit code, output and complaints."""
    monkeypatch.setenv("FIRSTHOP_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["privacy", *arguments])
        return (code, *capsys.readouterr())

    return run


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, bytes | str], str]:
    """Writes a file; its path."""

    def write(name: str, content: bytes | str) -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def test_explain_shows_the_text_before_and_after_and_which_rule_did_it(run: Run):
    code, output, _ = run("explain", f"mail to {JANE} failed")
    assert code == 0
    before, after, *steps = output.splitlines()
    assert before.split(maxsplit=1)[1] == f"mail to {JANE} failed"
    assert after.split(maxsplit=1)[1] == "mail to {email} failed"
    assert [JANE in step and "{email}" in step and "email:" in step for step in steps] == [True]


def test_explain_says_when_nothing_was_found(run: Run):
    code, output, _ = run("explain", "GET /cart")
    assert (code, "no rule finds anything" in output) == (0, True)


def test_explain_follows_a_policy(run: Run, file: Callable[..., str]):
    policy = file("shop.toml", "[[patterns]]\nname = 'order'\npattern = 'ORD-[0-9]+'\n[attributes]\nlisted = ['a']")
    code, output, _ = run("explain", "ORD-17", "--policy", policy, "--json")
    found = json.loads(output)
    assert (code, found["after"]) == (0, "{order}")
    assert [step["rule"] for step in found["steps"]] == ["policy:order"]
    code, output, _ = run("explain", "blue", "--key", "team", "--policy", policy, "--json")
    assert json.loads(output)["after"] is None
    assert "(left out)" in run("explain", "blue", "--key", "team", "--policy", policy)[1]


def test_explain_shows_that_identities_become_pseudonyms(run: Run):
    found = json.loads(run("explain", "4711", "--key", "user.id", "--json")[1])
    assert found["after"].startswith("{user:")


def spans_body() -> bytes:
    """A native body with an address in its name and an attribute, and identities."""
    return encoder.encode(
        {
            "id": "1" * 32,
            "resource": {"service": "shop", "session": "session-of-jane", "installation": "phone-of-jane"},
            "clock": {"kind": "wall"},
            "spans": [
                {
                    "trace_id": "1" * 32,
                    "span_id": "1" * 16,
                    "name": f"mail to {JANE}",
                    "start_us": 1,
                    "duration_us": 1,
                    "url": "https://shop.example/cart",
                    "attributes": {"note": JANE, "team": "blue"},
                }
            ],
        },
        "json",
    )


def otlp_body() -> bytes:
    def attribute(key: str, text: str) -> dict[str, Any]:
        return {"key": key, "value": {"stringValue": text}}

    span = {
        "traceId": "1" * 32,
        "spanId": "1" * 16,
        "name": f"mail to {JANE}",
        "startTimeUnixNano": "1",
        "endTimeUnixNano": "2",
        "attributes": [attribute("note", JANE), attribute("team", "blue")],
    }
    resource = {"attributes": [attribute("session.id", "session-of-jane")]}
    return orjson.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]})


@pytest.mark.parametrize("body", [spans_body(), otlp_body()], ids=["native", "otlp"])
def test_preview_shows_what_a_policy_does_to_a_body(run: Run, file: Callable[..., str], body: bytes):
    sample, policy = file("body.json", body), file("shop.toml", "[attributes]\nlisted = ['note']")
    code, output, _ = run("preview", sample, "--policy", policy, "--json")
    found = json.loads(output)
    assert code == 0
    changed = {change["where"]: change["after"] for change in found["changed"]}
    assert changed["spans.name"] == "mail to {email}"
    assert changed["attributes"] == "{email}"
    assert len(changed["session"]) == 20
    assert found["left_out"] == {"team": 1}
    assert found["rules"]["unlisted"] == 1
    code, output, _ = run("preview", sample, "--policy", policy)
    assert f"  - mail to {JANE}\n  + mail to {{email}}" in output
    assert "left out: team (1)" in output
    assert "shop.example/cart" not in output


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ({"meta": {}, "logs": [{"message": f"to {JANE}", "level": "info"}]}, "attributes"),
        ([{"type": "deprecation", "age": 1, "body": {"message": f"to {JANE}"}}], "attributes"),
        ({"csp-report": {"document-uri": f"https://shop.example/?q={JANE}"}}, "spans.url"),
    ],
)
def test_preview_reads_bodies_of_faro_and_of_reports(run: Run, file: Callable[..., str], content: Any, where: str):
    found = json.loads(run("preview", file("body.json", json.dumps(content).encode()), "--json")[1])
    assert [(change["where"], "{email}" in change["after"]) for change in found["changed"]] == [(where, True)]


def test_preview_reads_lines_and_json_lines(run: Run, file: Callable[..., str]):
    lines = [
        f"to {JANE}",
        "GET /cart",
        json.dumps({"kind": "attribute", "key": "user.id", "text": "4711"}),
        "{not json",
    ]
    found = json.loads(run("preview", file("lines.txt", "\n".join(lines)), "--json")[1])
    assert found["texts"] == 4
    assert [change["after"].partition(":")[0] for change in found["changed"]] == ["to {email}", "{user"]


@pytest.mark.parametrize(
    ("content", "says"),
    [(b'{"strings": [], "v": 1}', "would refuse"), (b'{"resourceSpans": 1}', "would refuse")],
)
def test_preview_says_what_is_wrong_with_a_body(run: Run, file: Callable[..., str], content: bytes, says: str):
    code, _, complaint = run("preview", file("body.json", content))
    assert (code, says in complaint) == (1, True)


def test_preview_says_that_there_is_no_such_file(run: Run, tmp_path: Path):
    code, _, complaint = run("preview", str(tmp_path / "none"))
    assert (code, "No such file" in complaint) == (1, True)


def test_output_cannot_move_the_cursor(run: Run, file: Callable[..., str]):
    code, output, _ = run("preview", file("lines.txt", f"\x1b[2J\u202e {JANE}"))
    assert (code, "\x1b" in output, "\u202e" in output) == (0, False, False)


def test_a_policy_that_is_none_stops_a_command_with_one_clear_line(run: Run, file: Callable[..., str]):
    policy = file("shop.toml", "[actions]\nemial = 'hash'")
    for arguments in (("explain", "x", "--policy", policy), ("apply", policy), ("preview", policy, "--policy", policy)):
        code, output, complaint = run(*arguments)
        assert (code, output, complaint.count("\n")) == (2, "", 1)
        assert "shop.toml: actions.emial" in complaint


def test_keys_are_forgotten_where_nothing_serves(run: Run, tmp_path: Path):
    (tmp_path / "data").mkdir()
    keys = tmp_path / "data" / "keys.json"
    keys.write_text(json.dumps({"pseudonym_key": "ab" * 32, "pseudonym_period": 1}))
    code, output, _ = run("forget")
    assert (code, output.startswith("kept: ")) == (0, True)
    assert json.loads(keys.read_text())["pseudonym_period"] > 600


@pytest.mark.parametrize("arguments", [[], ["--session", "a", "--user", "b"], ["--session", " "]])
def test_erasing_needs_to_know_of_exactly_one_whom(run: Run, arguments: Sequence[str]):
    with pytest.raises(SystemExit) as end:
        run("erase", "--app", "shop", *arguments)
    assert end.value.code == 2


async def test_policies_are_applied_listed_and_explained_from_the_database(
    dsn: str, pool: "asyncpg.Pool[Any]", tmp_path: Path, file: Callable[..., str]
):
    shop = await PostgresKeys(pool).create_app("shop")
    data = tmp_path / "data"

    async def command(*arguments: str) -> tuple[int, str]:
        return await firsthop("privacy", *arguments, data=data, DATABASE_URL=dsn)

    assert "built-in policy is in force" in (await command("policies"))[1]
    hashing = file("hashing.toml", '# for shop\n[actions]\nemail = "hash"\n')
    code, output = await command("apply", hashing, "--app", "shop", "--json")
    assert (code, json.loads(output)) == (0, {"app": "shop", "version": 1})
    assert (await command("apply", file("all.toml", "# all\n")))[0] == 0
    assert json.loads((await command("explain", JANE, "--app", "shop", "--json"))[1])["after"].startswith("{email:")
    await command("apply", file("empty.toml", ""), "--app", "shop")
    listed = json.loads((await command("policies", "--json"))[1])
    assert [(row["app"], row["version"], row["state"]) for row in listed] == [
        ("shop", 3, "taken away"),
        ("default", 2, "in force"),
        ("shop", 1, "replaced"),
    ]
    assert (await command("policies", "--show", "1"))[1] == '# for shop\n[actions]\nemail = "hash"\n'
    assert [text.app_id for text in await PostgresPolicies(pool).newest()] == [0, shop.app_id]
    code, output = await command("apply", hashing, "--app", "nobody")
    assert (code, "app list" in output) == (1, True)
    code, output = await command("policies", "--show", "9")
    assert (code, "no policy of this version" in output) == (1, True)


async def test_a_policy_that_a_file_of_serve_holds_is_not_applied_behind_its_back(
    dsn: str, pool: "asyncpg.Pool[Any]", tmp_path: Path, file: Callable[..., str]
):
    await PostgresKeys(pool).create_app("shop")
    own = tmp_path / "data" / "policies" / "shop.toml"
    own.parent.mkdir(parents=True)
    own.write_text("# mine\n")
    command = ("privacy", "apply", file("other.toml", "# other\n"), "--app", "shop")
    code, output = await firsthop(*command, data=tmp_path / "data", DATABASE_URL=dsn)
    assert (code, str(own) in output) == (1, True)
    assert await PostgresPolicies(pool).newest() == []
