"""classify_device: how capable the sender's device is, and its operating system.

A device is described by what its SDK says, then by its client hints, then by its User-Agent; `ingest.device_classes`
has the thresholds. The User-Agent fills in the operating system when nothing else names it.
"""

from collections.abc import Callable, Sequence

import numpy as np

from ingest.device_classes import Agent, Device, DeviceTable, nobody
from ingest.model import Reception, SpanBatch, short_name
from ingest.pipeline.findings import Devices
from ingest.pipeline.strings import StringTable


def classify_device(
    batch: SpanBatch,
    receptions: Sequence[Reception],
    agent_of: Callable[[str], Agent],
    devices: DeviceTable,
    table: StringTable,
) -> Devices:
    """Class and system of each resource's device.

    Args:
        agent_of: what a User-Agent says.
        devices: the thresholds and models in force.
    """
    agents = [(agent_of if reception.user_agent else nobody)(reception.user_agent) for reception in receptions]
    resources, strings = batch.resources, batch.strings
    classes, systems = [], []
    for os_name, model, memory_mb, cores, body in zip(
        resources.os_name.tolist(),
        resources.device_model.tolist(),
        resources.memory_mb.tolist(),
        resources.cores.tolist(),
        resources.body.tolist(),
        strict=True,
    ):
        told = Device(strings[os_name], strings[model], memory_mb, cores)
        classes.append(devices.class_of(told.completed(agents[body], receptions[body].hints)))
        systems.append(short_name(told.os or agents[body].os))
    return Devices(classes=np.array(classes, dtype=np.uint8), os=table.codes(systems))
