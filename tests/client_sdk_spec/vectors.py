"""The vectors of the client specification, read from their files."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "client_sdk_spec" / "vectors"


def load(name: str) -> Any:
    """One file of vectors."""
    return json.loads((FOLDER / name).read_text())


def as_json(value: Any) -> Any:
    """A value as it looks after it was written and read again."""
    return json.loads(json.dumps(value))
