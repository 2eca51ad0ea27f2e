"""A release as the edge would hear of it: half an hour of a shop whose newest version takes long to shake hands.

Version 5.2.1 arrives twelve minutes before the end. Where its checkout runs on cheap phones in Brazil, every TLS
handshake takes a second longer, and no connection is reused; everything else is as before.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from loadtest.traffic import Post
from loadtest.visits import Batch, Sender, make_sender, visit
from loadtest.world import APPS, COUNTRIES, DEVICES, Regression

CHECKOUT = "POST api.shop.example/checkout"
OLD, NEW = "5.2.0", "5.2.1"
SLOWER_US = 1_100_000
_SHOP = next(app for app in APPS if app.name == "shop")
_CHECKOUT = next(row for row, endpoint in enumerate(_SHOP.endpoints) if endpoint.path == "/checkout")
_BRAZIL = next(country for country in COUNTRIES if country.code == "BR")
_CHEAP = next(device for device in DEVICES if (device.platform, device.device_class) == ("android", "low"))
_MINUTE_US = 60_000_000
_CONNECTIONS = 8
_VISITS_A_MINUTE = 20
"""Of them two thirds on cheap phones in Brazil, so that few minutes are enough to tell what is chance."""


async def roll_out(edge: str, client_key: str, now_us: int) -> None:
    """Sends it all, several batches at a time; every one of them is accepted."""
    post = Post(edge, {"": client_key})
    batches = _batches(now_us)

    async def send() -> None:
        for batch in batches:
            await post.deliver(batch)

    await asyncio.gather(*(send() for _ in range(_CONNECTIONS)))
    assert post.statuses.keys() == {"202"}, post.statuses


def _batches(now_us: int) -> Iterator[Batch]:
    rng = np.random.default_rng(5)
    for ago_us in range(30 * _MINUTE_US, _MINUTE_US // 2, -_MINUTE_US // _VISITS_A_MINUTE):
        at_us = now_us - ago_us
        sender = make_sender(rng, at_us, at_us, "shop")
        version = NEW if ago_us < 12 * _MINUTE_US and rng.random() < 0.8 else OLD
        yield visit(rng, _as_told(sender, version, cheap=rng.random() < 0.67), at_us)


def _as_told(sender: Sender, version: str, *, cheap: bool) -> Sender:
    resource = {**sender.resource, "version": version}
    slower = Regression(NEW, _CHECKOUT, "low", "BR", "tls", SLOWER_US)
    sender = replace(sender, app=replace(_SHOP, regressions=(slower,)), version=version, resource=resource)
    if not cheap:
        return sender
    of_device: dict[str, str | int] = {
        "os_name": _CHEAP.os_name,
        "os_version": _CHEAP.os_version,
        "device_manufacturer": _CHEAP.manufacturer,
        "device_model": _CHEAP.model,
        "memory_mb": _CHEAP.memory_mb,
        "cores": _CHEAP.cores,
        "network": "4g",
    }
    network = _BRAZIL.network.rsplit(".", 1)[0]
    return replace(sender, country=_BRAZIL, device=_CHEAP, address=f"{network}.7", resource=resource | of_device)
