"""The set-ups to copy are listed, and say what is to be filled in."""

import re
from pathlib import Path

SNIPPETS = Path(__file__).parents[2] / "client_sdk_spec" / "snippets"


def test_every_snippet_is_described_and_names_what_is_to_be_filled_in() -> None:
    described = set(re.findall(r"`([\w.-]+\.(?:\w+))`", (SNIPPETS / "README.md").read_text()))
    names = {path.name for path in SNIPPETS.iterdir()} - {"README.md"}
    assert names <= described
    for name in names:
        text = (SNIPPETS / name).read_text()
        assert {"{{edge}}", "{{key}}"} <= set(re.findall(r"\{\{\w+\}\}", text)), name
