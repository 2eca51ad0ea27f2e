"""What makes a device low, mid or high: `device_classes.toml`, and how it is applied. Unknown is never taken for high.

The kind of device (Android, Apple's mobile ones, desktop) has its own thresholds. The model decides where the table
knows it and the device tells no memory, on Apple's always. Then memory decides; processors can make a class lower, and
never decide alone. Of a device whose kind nobody knows, the lower class of an Android device and a desktop counts.
"""

import tomllib
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from ingest.model import UNKNOWN, DeviceClass

_MIB_PER_GB = 1024
_SAMSUNG_CHARS = len("SM-S938")
_LONGEST_NAME = 128
_MOST_HINTED_GB = 1 << 20


class Agent(NamedTuple):
    """What a User-Agent says; "" where it does not."""

    os: str = ""
    model: str = ""
    robot: bool = False
    """No person uses it: a crawler, a browser without a screen."""


NOBODY = Agent()


def nobody(user_agent: str) -> Agent:
    """What is known of User-Agents without a parser."""
    del user_agent
    return NOBODY


class Device(NamedTuple):
    """What is known of one device. Texts are "" and numbers `UNKNOWN` where nobody told."""

    os: str = ""
    model: str = ""
    memory_mb: int = UNKNOWN
    cores: int = UNKNOWN
    robot: bool = False

    def completed(self, agent: Agent, hints: Mapping[str, str]) -> "Device":
        """What it does not tell itself taken from its client hints (by lower-case name), then from its User-Agent."""
        return Device(
            os=self.os or hints.get("sec-ch-ua-platform") or agent.os,
            model=self.model or hints.get("sec-ch-ua-model") or agent.model,
            memory_mb=self.memory_mb if self.memory_mb > 0 else _hinted_memory_mb(hints),
            cores=self.cores,
            robot=agent.robot,
        )


def _hinted_memory_mb(hints: Mapping[str, str]) -> int:
    try:
        gigabytes = float(hints.get("sec-ch-device-memory") or hints.get("device-memory") or "")
    except ValueError:
        return UNKNOWN
    return round(gigabytes * _MIB_PER_GB) if 0.0 < gigabytes < _MOST_HINTED_GB else UNKNOWN


class Kind(Enum):
    """Whose thresholds count."""

    ANDROID = "android"
    APPLE = "apple"
    DESKTOP = "desktop"


class _Thresholds:
    """One section of the file."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._mid_mb, self._high_mb = (
            given[f"{name}_memory_gb"] * given["tolerance"] * _MIB_PER_GB for name in ("mid", "high")
        )
        self._least_mb, self._most_mb = (given[f"{name}_memory_gb"] * _MIB_PER_GB for name in ("least", "most"))
        self._mid_cores, self._high_cores = given.get("mid_cores", 0), given.get("high_cores", 0)

    def class_of(self, memory_mb: float, cores: int = UNKNOWN) -> DeviceClass:
        """By memory, made lower by processors where they are told."""
        if not self._least_mb <= memory_mb <= self._most_mb:
            return DeviceClass.UNKNOWN
        cores_known = cores > 0
        if memory_mb < self._mid_mb or (cores_known and cores < self._mid_cores):
            return DeviceClass.LOW
        if memory_mb < self._high_mb or (cores_known and cores < self._high_cores):
            return DeviceClass.MID
        return DeviceClass.HIGH


class DeviceTable:
    """The thresholds and models of one version of the file.

    Args:
        text: TOML.

    Raises:
        ValueError, KeyError, TypeError: it is no such table.
    """

    def __init__(self, text: str) -> None:
        given = tomllib.loads(text)
        self.version: str = given["version"]
        self._thresholds = {kind: _Thresholds(given[kind.value]) for kind in Kind}
        self._kinds = {name: kind for kind in Kind for name in given[kind.value]["systems"]}
        self._apple = _apple_models(given["apple"])
        self._android = _android_models(given["android"]["models"], self._thresholds[Kind.ANDROID])
        self._emulators = tuple(given["emulators"]["models"])
        self._remembered = lru_cache(maxsize=8192)(self._class_of)

    def class_of(self, device: Device) -> DeviceClass:
        """The class of a device; may be asked from any thread."""
        if len(device.os) > _LONGEST_NAME or len(device.model) > _LONGEST_NAME:
            return DeviceClass.UNKNOWN  # not even remembered: whoever sends such names sends many
        return self._remembered(device)

    def _class_of(self, device: Device) -> DeviceClass:
        model = device.model.strip().lower()
        if device.robot or model.startswith(self._emulators):
            return DeviceClass.UNKNOWN
        kind = self._kinds.get(device.os.strip().lower())
        if kind in (Kind.APPLE, None) and model in self._apple:
            return self._apple[model]
        if kind is None:
            return min(
                self._thresholds[each].class_of(device.memory_mb, device.cores) for each in (Kind.ANDROID, Kind.DESKTOP)
            )
        found = self._thresholds[kind].class_of(device.memory_mb, device.cores)
        if kind is Kind.ANDROID and found is DeviceClass.UNKNOWN:
            name = model[:_SAMSUNG_CHARS] if model.startswith("sm-") else model
            return self._android.get(name, DeviceClass.UNKNOWN)
        return found


def _apple_models(given: Mapping[str, Any]) -> dict[str, DeviceClass]:
    """Class by identifier and by name, in lower case."""
    classes = {}
    for identifier, (memory_gb, year, name) in given["models"].items():
        if memory_gb >= given["model_high_memory_gb"] and year >= given["model_high_year"]:
            found = DeviceClass.HIGH
        elif memory_gb >= given["model_mid_memory_gb"] and year >= given["model_mid_year"]:
            found = DeviceClass.MID
        else:
            found = DeviceClass.LOW
        classes[identifier.lower()] = classes[name.lower()] = found
    return classes


def _android_models(given: Mapping[str, Any], thresholds: _Thresholds) -> dict[str, DeviceClass]:
    """Class by name in lower case, of those that have one class with any memory they are sold with."""
    classes = {
        name.lower(): {thresholds.class_of(memory_gb * _MIB_PER_GB) for memory_gb in sizes}
        for name, sizes in given.items()
    }
    return {name: found.pop() for name, found in classes.items() if len(found) == 1}


DEVICES = DeviceTable(resources.files("ingest").joinpath("device_classes.toml").read_text("utf-8"))
"""The table that comes with the software."""
