"""locate: the country a request came from. The address itself goes no further."""

from collections.abc import Callable, Sequence

from ingest.model import I32, Reception, SpanBatch
from ingest.pipeline.strings import StringTable


def locate(
    batch: SpanBatch, receptions: Sequence[Reception], country_of: Callable[[str], str], table: StringTable
) -> I32:
    """(r,) code of the ISO country of each resource's sender; code 0 when unknown.

    A backend's address says where the backend is, not the user, so what came with a server key has no country.
    """
    countries = table.codes(["" if reception.trusted else country_of(reception.address) for reception in receptions])
    return countries[batch.resources.body]
