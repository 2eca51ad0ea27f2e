"""classify_device: how capable the sender's device is, and its operating system. Unknown is never taken for high.

The thresholds, by memory first because it is what a page or an app feels first (Android calls devices below 4 GiB
"low RAM" class hardware; browsers report at most 8 GiB):

    low    memory < 4 GiB, or fewer than 4 cores
    mid    memory < 8 GiB, or fewer than 8 cores
    high   8 GiB and 8 cores or more

With cores alone only `low` can be said for certain. The User-Agent fills in the operating system when nothing else
names it.
"""

from collections.abc import Callable, Sequence

import numpy as np

from ingest.model import I32, I64, U8, UNKNOWN, DeviceClass, Reception, SpanBatch, short_name
from ingest.pipeline.findings import Devices
from ingest.pipeline.strings import StringTable

LOW_MEMORY_MB, HIGH_MEMORY_MB = 4 * 1024, 8 * 1024
LOW_CORES, HIGH_CORES = 4, 8
MEMORY_TOLERANCE = 0.85
"""A phone sold with 4 GiB reports about 3.6 to its apps."""


def classify_device(
    batch: SpanBatch, receptions: Sequence[Reception], os_of: Callable[[str], str], table: StringTable
) -> Devices:
    """Class and system of each resource's device; `os_of` names the system of a User-Agent, "" when unknown."""
    resources = batch.resources
    hinted = np.array([_hinted_memory_mb(reception) for reception in receptions], dtype=np.int64)
    memory_mb = np.where(resources.memory_mb == UNKNOWN, hinted[resources.body], resources.memory_mb)
    return Devices(classes=_class_of(memory_mb, resources.cores), os=_name_os(batch, receptions, os_of, table))


def _class_of(memory_mb: I64, cores: I64) -> U8:
    memory_known, cores_known = memory_mb > 0, cores > 0
    low_memory, high_memory = LOW_MEMORY_MB * MEMORY_TOLERANCE, HIGH_MEMORY_MB * MEMORY_TOLERANCE
    classes = np.full(len(memory_mb), DeviceClass.UNKNOWN, dtype=np.uint8)
    classes[memory_known] = DeviceClass.MID
    classes[memory_known & (memory_mb >= high_memory) & (~cores_known | (cores >= HIGH_CORES))] = DeviceClass.HIGH
    classes[memory_known & (memory_mb < low_memory)] = DeviceClass.LOW
    classes[cores_known & (cores < LOW_CORES)] = DeviceClass.LOW
    return classes


def _hinted_memory_mb(reception: Reception) -> int:
    text = reception.hints.get("sec-ch-device-memory") or reception.hints.get("device-memory") or ""
    try:
        return round(min(max(float(text), 0.0), 1024.0) * 1024) or UNKNOWN
    except ValueError:
        return UNKNOWN


def _name_os(batch: SpanBatch, receptions: Sequence[Reception], os_of: Callable[[str], str], table: StringTable) -> I32:
    agents = [os_of(reception.user_agent) if reception.user_agent else "" for reception in receptions]
    return table.codes(
        [
            short_name(batch.strings[code] or agents[body])
            for code, body in zip(batch.resources.os_name.tolist(), batch.resources.body.tolist(), strict=True)
        ]
    )
