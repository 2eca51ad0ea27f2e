"""Taking the bodies out of a decoded batch that are refused, so that those beside them go on."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from ingest.model import I32, Mask, SpanBatch


def leave_out(batch: SpanBatch, bodies: Collection[int]) -> SpanBatch:
    """The batch without these rows of `batch.bodies` and all that belongs to them. Texts stay in the string table."""
    if not bodies:
        return batch
    stays = np.ones(len(batch.bodies), dtype=np.bool_)
    stays[list(bodies)] = False
    batch = batch.select(stays[batch.body_of_span])
    resource_stays = stays[batch.resources.body]
    sketch_stays = resource_stays[batch.sketches.resource]
    body, resource, sketch = _new_rows(stays), _new_rows(resource_stays), _new_rows(sketch_stays)
    resources = batch.resources.take(resource_stays)
    attributes = batch.resource_attributes.take(resource_stays[batch.resource_attributes.owner])
    sketches = batch.sketches.take(sketch_stays)
    bins = batch.sketch_bins.take(sketch_stays[batch.sketch_bins.owner])
    drops = batch.drops.take(stays[batch.drops.body])
    remarks = batch.remarks.take(stays[batch.remarks.body])
    return replace(
        batch,
        bodies=batch.bodies.take(stays),
        resources=replace(resources, body=body[resources.body]),
        spans=replace(batch.spans, resource=resource[batch.spans.resource]),
        resource_attributes=replace(attributes, owner=resource[attributes.owner]),
        drops=replace(drops, body=body[drops.body]),
        sketches=replace(sketches, resource=resource[sketches.resource]),
        sketch_bins=replace(bins, owner=sketch[bins.owner]),
        remarks=replace(remarks, body=body[remarks.body]),
    )


def _new_rows(stays: Mask) -> I32:
    """New row number by old one, for the rows that stay."""
    return np.cumsum(stays, dtype=np.int32) - np.int32(1)
