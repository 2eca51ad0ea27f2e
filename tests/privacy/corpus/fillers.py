"""What belongs to nobody: hosts, versions, hashes, prices, times, identifiers of things."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from random import Random

from tests.privacy.corpus import credentials, identities
from tests.privacy.corpus.devices import uuid

_HOSTS = (
    "api.acme-shop.example", "www.example.de", "m.example.com", "gateway.eu1.example.io", "cdn-7.example.net",
    "auth.example.co.uk", "bff.example.org", "graph.example.com:8443", "xn--bcher-kva.example",
)  # fmt: skip
_PATHS = (
    "/v1/orders", "/api/v2/profile", "/checkout/confirm", "/search", "/index.html", "/mobile/v3/feed", "/de/warenkorb",
    "/_next/data/build", "/rest/items/list.json", "/a/b;v=2/c",
)  # fmt: skip
_WORDS = (
    "checkout", "cart", "banner", "wishlist", "returns", "promo", "invoice", "shipping", "onboarding", "feed",
    "gallery", "player", "coupon", "inventory", "payment", "session", "token", "password", "email", "phone", "address",
    "search", "passport", "cookie", "secret", "card", "user",
)  # fmt: skip
_ROUTES = ("/users/:id", "/orders/{order_id}", "/u/<int:pk>/edit", "/api/v1/[slug]", "/items/*", "/reset/:token")
_FILES = ("index.html", "main.dart.js", "hero@2x.png", "AppDelegate.swift", "styles.min.css", "libapp.so", "go.mod")


def _pick(rng: Random, argument: str) -> str:
    return rng.choice(argument.split(","))


def _integer(rng: Random, argument: str) -> str:
    low, high = (argument or "1-99").split("-")
    return str(rng.randint(int(low), int(high)))


def _moment(rng: Random) -> datetime:
    return datetime.fromtimestamp(rng.randint(1_640_000_000, 1_780_000_000), UTC)


def _fake_account(rng: Random) -> str:
    return rng.choice(("DE", "GB", "SK", "MT")) + "".join(rng.choices("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", k=12))


def _ulid(rng: Random) -> str:
    return "01H" + "".join(rng.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=23))


FILLERS: Mapping[str, Callable[[Random, str], str]] = {
    "pick": _pick,
    "int": _integer,
    "host": lambda rng, _: rng.choice(_HOSTS),
    "path": lambda rng, _: rng.choice(_PATHS),
    "word": lambda rng, _: rng.choice(_WORDS),
    "plain": lambda rng, _: rng.choice(_WORDS[:15]),
    "kebab": lambda rng, _: "-".join(rng.sample(_WORDS, 2)),
    "pascal": lambda rng, _: "".join(map(str.capitalize, rng.sample(_WORDS, 2))),
    "route": lambda rng, _: rng.choice(_ROUTES),
    "file": lambda rng, _: rng.choice(_FILES),
    "version": lambda rng, _: f"{rng.randint(0, 30)}.{rng.randint(0, 40)}.{rng.randint(0, 99)}",
    "version4": lambda rng, _: ".".join(str(rng.randint(0, most)) for most in (20, 30, 99, 9999)),
    "hex": lambda rng, argument: credentials.hexadecimal(rng, int(argument or 32)),
    "b64": lambda rng, argument: b64encode(rng.randbytes(int(argument))).decode(),
    "digits": lambda rng, argument: credentials.digits(rng, int(argument or 10)),
    "alnum": lambda rng, argument: credentials.alnum(rng, int(argument or 8)),
    "upper": lambda rng, argument: "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=int(argument or 3))),
    "uuid": lambda rng, _: uuid(rng),
    "ulid": lambda rng, _: _ulid(rng),
    "ts": lambda rng, _: str(int(_moment(rng).timestamp())),
    "ms": lambda rng, _: str(int(_moment(rng).timestamp()) * 1000 + rng.randrange(1000)),
    "us": lambda rng, _: str(int(_moment(rng).timestamp()) * 1_000_000 + rng.randrange(1_000_000)),
    "ns": lambda rng, _: str(int(_moment(rng).timestamp()) * 1_000_000_000 + rng.randrange(1_000_000_000)),
    "iso": lambda rng, _: _moment(rng).strftime("%Y-%m-%dT%H:%M:%S.") + f"{rng.randrange(1000):03}Z",
    "date": lambda rng, _: _moment(rng).strftime("%Y-%m-%d"),
    "httpdate": lambda rng, _: _moment(rng).strftime("%a, %d %b %Y %H:%M:%S GMT"),
    "clf": lambda rng, _: _moment(rng).strftime("%d/%b/%Y:%H:%M:%S +0000"),
    "time": lambda rng, _: _moment(rng).strftime("%H:%M:%S"),
    "price": lambda rng, _: f"{rng.randint(1, 9999)}.{rng.randint(0, 99):02}",
    "float": lambda rng, argument: f"{rng.uniform(0, 2000):.{argument or 3}f}",
    "percent": lambda rng, _: f"{rng.uniform(0, 100):.1f}%",
    "locale": lambda rng, _: rng.choice(("de-DE", "en_US", "pt-BR", "zh-Hans-CN", "fr", "ar-EG")),
    "currency": lambda rng, _: rng.choice(("EUR", "USD", "BRL", "JPY", "INR")),
    "country": lambda rng, _: rng.choice(("DE", "US", "BR", "JP", "IN", "FR", "NG")),
    "sku": lambda rng, _: f"{rng.choice(('SKU', 'ART', 'P'))}-{credentials.digits(rng, 6)}-{rng.choice('SMLX')}",
    "luhnless": lambda rng, _: identities.not_a_card(rng),
    "ibanlike": lambda rng, _: _fake_account(rng),
    "address": lambda rng, _: "0x" + credentials.hexadecimal(rng, rng.choice((8, 12, 16))),
    "colour": lambda rng, _: "#" + credentials.hexadecimal(rng, 6),
    "port": lambda rng, _: str(rng.randint(1025, 65000)),
    "loopback": lambda rng, _: rng.choice(("127.0.0.1", "localhost", "[::1]")),
    "dur": lambda rng, _: f"{rng.randint(1, 9000)}{rng.choice(('ms', ' ms', 's', 'µs'))}",
    "traceparent": lambda rng, _: f"00-{rng.randbytes(16).hex()}-{rng.randbytes(8).hex()}-0{rng.randint(0, 1)}",
    "ga": lambda rng, _: f"G-{''.join(rng.choices('ABCDEFGHJKLMNPQRSTUVWXYZ0123456789', k=10))}",
}
