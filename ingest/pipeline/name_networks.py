"""name_networks: what may be said of the networks that requests came from. The address itself goes no further.

The provider is the organisation behind the autonomous system, under the name that Elastic's schema gives it and
OpenTelemetry is about to (https://github.com/open-telemetry/semantic-conventions/issues/1663). The truncated address
is stored only where the app's policy asks for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ingest.model import Attributes, Reception, SpanBatch
from ingest.pipeline.scopes import Scopes
from ingest.pipeline.strings import StringTable
from privacy.addresses import truncate

PROVIDER = "client.as.organization.name"
NETWORK = "client.network"


def name_networks(
    batch: SpanBatch,
    receptions: Sequence[Reception],
    scopes: Scopes,
    provider_of: Callable[[str], str],
    table: StringTable,
) -> SpanBatch:
    """The batch with attributes of its resources for provider and network, as far as they are known and wanted.

    A backend's address says nothing of the user, so what came with a server key gets neither.
    """
    rules = [scope.policy.rules for scope in scopes.all]
    listed = [rule.lists(PROVIDER) for rule in rules]
    senders = [
        ("" if reception.trusted else reception.address, scope)
        for reception, scope in zip(receptions, scopes.of_body.tolist(), strict=True)
    ]
    providers = [provider_of(address) if address and listed[scope] else "" for address, scope in senders]
    networks = [truncate(address) if rules[scope].keep_network else "" for address, scope in senders]
    return _describe(_describe(batch, PROVIDER, providers, table), NETWORK, networks, table)


def _describe(batch: SpanBatch, key: str, values: Sequence[str], table: StringTable) -> SpanBatch:
    """The batch with one more attribute for every resource whose body has a value."""
    if not any(values):
        return batch
    value = table.codes(values)[batch.resources.body]
    owner = np.flatnonzero(value).astype(np.int32)
    more = Attributes(owner=owner, key=np.full(len(owner), table.code(key), dtype=np.int32), value=value[owner])
    return replace(batch, resource_attributes=Attributes.concat([batch.resource_attributes, more]))
