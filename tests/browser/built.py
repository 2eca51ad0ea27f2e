"""The dashboard as `make install` builds it: `make test` always does, a test that is run by hand may come before."""

import pytest

from ingest.query.server import DASHBOARD


def require_page() -> None:
    """Skips the test where there is no page, and says how to make it."""
    if not (DASHBOARD / "index.html").is_file():
        pytest.skip("the dashboard has not been built: make page")
