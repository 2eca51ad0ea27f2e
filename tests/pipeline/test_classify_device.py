"""Devices get the class that the published thresholds give them; what nobody knows is unknown."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.device_classes import DEVICES, Device, DeviceTable
from ingest.model import UNKNOWN, DeviceClass
from ingest.pipeline.classify_device import classify_device
from ingest.pipeline.strings import StringTable
from ingest.user_agent import UserAgents
from loadtest import world
from tests import devices
from tests.batches import reception, spans_of

AGENTS = UserAgents()
TABLE = """
version = "test"
[android]
systems = ["android"]
tolerance = 1
least_memory_gb = 1
most_memory_gb = 16
mid_memory_gb = 4
high_memory_gb = 8
[android.models]
"One Phone" = [4, 6]
"Two Phones" = [2, 8]
[desktop]
systems = ["windows"]
tolerance = 1
least_memory_gb = 1
most_memory_gb = 16
mid_memory_gb = 4
high_memory_gb = 8
[apple]
systems = ["ios"]
tolerance = 1
least_memory_gb = 1
most_memory_gb = 16
mid_memory_gb = 4
high_memory_gb = 8
model_mid_memory_gb = 3
model_mid_year = 2017
model_high_memory_gb = 4
model_high_year = 2020
[apple.models]
[emulators]
models = ["emulator"]
"""


def classified(known: devices.Known, table: DeviceTable = DEVICES) -> str:
    """The class of the device of a batch from it."""
    told = {"os_name": known.os, "device_model": known.model, "memory_mb": known.memory_mb, "cores": known.cores}
    batch = spans_of([{}], **{name: value for name, value in told.items() if value is not None})
    received = reception(user_agent=known.user_agent, hints=dict(known.hints))
    found = classify_device(batch, [received], AGENTS.agent_of, table, StringTable(batch.strings))
    return DeviceClass(found.classes[0]).name.lower()


@pytest.mark.parametrize("known", devices.DEVICES, ids=lambda known: known.name)
def test_a_device_gets_its_class(known: devices.Known):
    assert classified(known) == known.device_class


def test_the_table_of_devices_has_every_class_of_every_kind():
    kinds = {
        "app": [known for known in devices.DEVICES if known.os == "Android"],
        "apple": [known for known in devices.DEVICES if known.os in ("iOS", "iPadOS")],
        "browser": [known for known in devices.DEVICES if known.user_agent.startswith("Mozilla/")],
    }
    for of_kind in kinds.values():
        assert {known.device_class for known in of_kind} == {"low", "mid", "high", "unknown"}
    assert len(devices.DEVICES) >= 60


@pytest.mark.parametrize(
    "device", world.DEVICES, ids=lambda device: f"{device.platform} {device.model} {device.os_name}"
)
def test_the_invented_world_agrees(device: world.Device):
    known = devices.Known(
        device.model,
        device.device_class,
        device.os_name,
        device.model,
        device.memory_mb or None,
        device.cores or None,
        device.user_agent,
    )
    assert classified(known) == device.device_class


def test_each_sender_of_a_micro_batch_is_judged_by_itself():
    batch = spans_of([{}, {"body": 1}, {"body": 2}], bodies=3, cores=8)
    memory_mb = np.array([2048, UNKNOWN, UNKNOWN])
    batch = replace(batch, resources=replace(batch.resources, memory_mb=memory_mb))
    received = [
        reception(user_agent=devices.WINDOWS),
        reception(user_agent=devices.ANDROID, hints={"sec-ch-device-memory": "8"}),
        reception(user_agent=devices.IPHONE_SAFARI),
    ]
    table = StringTable(batch.strings)
    found = classify_device(batch, received, AGENTS.agent_of, DEVICES, table)
    assert found.classes.tolist() == [DeviceClass.LOW, DeviceClass.HIGH, DeviceClass.UNKNOWN]
    assert [table.strings[code] for code in found.os.tolist()] == ["windows", "android", "ios"]


def test_what_the_sdk_says_counts_before_the_user_agent():
    known = devices.browser("", "", devices.WINDOWS, 8, 4)
    assert classified(known) == "mid"
    assert classified(known._replace(os="Android", model="Pixel 9 Pro", memory_mb=15600, cores=8)) == "high"


def test_the_thresholds_are_those_of_the_table():
    table = DeviceTable(TABLE)
    bounds = {1023: "UNKNOWN", 1024: "LOW", 4095: "LOW", 4096: "MID", 8191: "MID", 8192: "HIGH", 16385: "UNKNOWN"}
    for system in ("Android", "iOS", "Windows"):
        for memory_mb, name in bounds.items():
            assert table.class_of(Device(system, memory_mb=memory_mb)).name == name


def test_a_model_decides_only_where_all_it_is_sold_with_give_one_class():
    table = DeviceTable(TABLE)
    assert table.class_of(Device("Android", "one phone")) is DeviceClass.MID
    assert table.class_of(Device("Android", "Two Phones")) is DeviceClass.UNKNOWN
    assert table.class_of(Device("Android", "One Phone", memory_mb=2048)) is DeviceClass.LOW


@given(
    st.builds(
        Device,
        os=st.sampled_from(["", "Android", "iOS", "Windows", "Tizen"]) | st.text(),
        model=st.sampled_from(["", "K", "iPhone15,2", "Pixel 9", "SM-S9"]) | st.text(),
        memory_mb=st.integers(-(1 << 63), (1 << 63) - 1),
        cores=st.integers(-(1 << 63), (1 << 63) - 1),
    ),
    st.dictionaries(st.sampled_from(["sec-ch-device-memory", "device-memory", "sec-ch-ua-platform"]), st.text()),
)
def test_whatever_is_told_there_is_a_class_and_none_without_a_size_or_a_model(device: Device, hints: dict[str, str]):
    completed = device.completed(AGENTS.agent_of(""), hints)
    found = DEVICES.class_of(completed)
    assert found in DeviceClass
    if completed.memory_mb <= 0 and not completed.model:
        assert found is DeviceClass.UNKNOWN


@pytest.mark.parametrize("hint", ["", "nan", "inf", "-inf", "1e400", "1e308", "-4", "0", "four", "4" * 5000])
def test_a_hint_that_is_no_size_says_nothing(hint: str):
    assert classified(devices.browser("", "", devices.ANDROID, sec_ch_device_memory=hint)) == "unknown"


def test_more_cores_or_memory_never_lower_a_class():
    for system in ("Android", "Windows", "iOS", ""):
        for cores in (2, 4, 6, 8, 16):
            sizes = [Device(system, "", memory_mb, cores) for memory_mb in range(512, 32_000, 256)]
            found = [DEVICES.class_of(device) for device in sizes]
            assert found == sorted(found)
