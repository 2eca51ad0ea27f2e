"""What the texts of settings mean: each parser returns a value, or raises ValueError with what would do."""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network


def whole(low: int, high: int) -> Callable[[str], int]:
    """Whole numbers in a range."""

    def parse(text: str) -> int:
        if not (text.isdecimal() and low <= int(text) <= high):
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def probability(text: str) -> float:
    """A number from 0 to 1."""
    value = float(text)
    if not 0.0 <= value <= 1.0:
        raise ValueError("must be a number from 0 to 1")
    return value


def quantile(text: str) -> float:
    """A number from 0.5 to below 1."""
    value = float(text)
    if not 0.5 <= value < 1.0:
        raise ValueError("must be a number from 0.5 to below 1")
    return value


def networks(text: str) -> tuple[str, ...]:
    """Networks, separated by commas or spaces."""
    parts = tuple(part for part in re.split(r"[,\s]+", text) if part)
    for part in parts:
        try:
            ip_network(part)
        except ValueError:
            raise ValueError("must be networks such as 10.0.0.0/8, separated by commas") from None
    return parts


def endpoint(text: str) -> str:
    """An address without user, query and fragment, or nothing."""
    if text and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", text):
        raise ValueError("must be an http or https address without user, query and fragment")
    return text


def headers(text: str) -> Mapping[str, str]:
    """Header to value."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if any(not re.fullmatch(r"[A-Za-z0-9-]+", name.strip()) or not equals for name, equals, _ in pairs):
        raise ValueError("must be name=value, several separated by commas")
    return {name.strip(): value.strip() for name, _, value in pairs}


def webhooks(text: str) -> Mapping[str, str]:
    """Name of a receiver to its address."""
    found: dict[str, str] = {}
    for part in text.split():
        name, equals, url = part.partition("=")
        if not equals or not re.fullmatch(r"[a-z0-9-]{1,32}", name) or name in {"alertmanager", *found}:
            raise ValueError(
                "must be name=address, separated by spaces; names have a-z, 0-9 and -, and alertmanager is taken"
            )
        if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s#]*)?", url):
            raise ValueError("must have http or https addresses without user and fragment")
        found[name] = url
    return found


def trace_link(text: str) -> str:
    """An address that holds `{trace_id}`, or nothing."""
    if text and not (re.fullmatch(r"https?://[^\s{}]+\{trace_id\}[^\s{}]*", text) and text.isprintable()):
        raise ValueError("must be an http or https address that holds {trace_id} once")
    return text


def header(text: str) -> str:
    """The name of a header, or nothing."""
    if text and not re.fullmatch(r"[A-Za-z0-9-]{1,100}", text):
        raise ValueError("must be the name of a header, such as X-Forwarded-User")
    return text


def proxy_roles(text: str) -> tuple[tuple[str, str, str], ...]:
    """Who, role, app ("" with roles of every app)."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        who, _, what = part.rpartition("=")
        role, _, app = what.partition(":")
        if (
            not who.strip()
            or role not in ("token", "owner", "operator", "admin")
            or bool(app) == (role in ("operator", "admin"))
        ):
            raise ValueError(
                "must be who=role separated by commas, with an app behind token and owner: "
                "jane@shop.example=owner:shop, group:product=token:shop, group:sre=admin"
            )
        found.append((who.strip(), role, app.strip()))
    return tuple(found)
