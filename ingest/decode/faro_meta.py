"""Who sends, by Faro's `meta`: as attributes of a resource, by the names that OpenTelemetry has for them.

Not read: `user` (id, name, mail: the session is enough to count and to erase by), `geo` (where somebody is, by whoever
says so), and the browser's `userAgent`, which the request has, too.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ingest.decode.faro_wire import Meta
from ingest.decode.signal_rows import text

SESSION_ID: Final = re.compile(r"[a-zA-Z0-9_.@:-]{1,128}")
"""What Faro's specification takes for a session id."""

_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "app": {
        "name": "service.name",
        "namespace": "service.namespace",
        "version": "service.version",
        "release": "app.release",
        "environment": "deployment.environment.name",
        "bundleId": "app.build_id",
        "gitHash": "vcs.ref.head.revision",
        "installationId": "app.installation.id",
    },
    "sdk": {"name": "telemetry.sdk.name", "version": "telemetry.sdk.version"},
    "browser": {
        "name": "browser.name",
        "version": "browser.version",
        "language": "browser.language",
        "mobile": "browser.mobile",
        "viewportWidth": "browser.viewport.width",
        "viewportHeight": "browser.viewport.height",
    },
    "os": {
        "name": "os.name",
        "version": "os.version",
        "build_id": "os.build_id",
        "detail": "os.description",
    },
    "device": {
        "manufacturer": "device.manufacturer",
        "model_identifier": "device.model.identifier",
        "model_name": "device.model.name",
        "brand": "device.brand",
        "is_physical": "device.is_physical",
        "type": "device.type",
    },
    "k6": {"isK6Browser": "k6.browser", "testRunId": "k6.test_run_id"},
}
"""Part of meta → its field → attribute of the resource."""

_OWN: Final = "firsthop."
"""What begins so is said to this service, e.g. `firsthop.consent`, and keeps its name."""


def sender(meta: Meta) -> Iterator[tuple[str, str]]:
    """(name, text) of everything that is known of the sender."""
    for part, names in _NAMES.items():
        found: Mapping[str, Any] | None = getattr(meta, part)
        if found:
            for field, name in names.items():
                if (value := text(found.get(field))) not in {"", "unknown"}:
                    yield name, value
    if (session := meta.session) is not None:
        if isinstance(session.id, str) and SESSION_ID.fullmatch(session.id):
            yield "session.id", session.id
        yield from _own_attributes("faro.session.", session.attributes)
    if meta.page is not None:
        yield from _own_attributes("faro.page.", meta.page.attributes)


def _own_attributes(prefix: str, attributes: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    for name, value in (attributes or {}).items():
        if name == "previousSession":
            yield "session.previous_id", text(value)
        else:
            yield name if name.startswith(_OWN) else prefix + name, text(value)
