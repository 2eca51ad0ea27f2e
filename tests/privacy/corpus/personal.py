"""What may stand between « and »: the personal values by the name that templates use, each with its type."""

from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

from tests.privacy.corpus import credentials, devices, identities, people
from tests.privacy.corpus.people import Person


class Value(NamedTuple):
    """How a value is made; the argument is what follows the colon in the template."""

    type: str
    make: Callable[[Random, Person, str], str]


def _first(rng: Random, person: Person, argument: str) -> str:
    return people.invent(rng, foreign=True).first if argument == "foreign" else person.first


def _last(rng: Random, person: Person, argument: str) -> str:
    return people.invent(rng, foreign=True).last if argument == "foreign" else person.last


def _full(rng: Random, person: Person, argument: str) -> str:
    return people.invent(rng, foreign=True).full if argument == "foreign" else person.full


def _phone(rng: Random, _: Person, argument: str) -> str:
    region, _comma, style = argument.partition(",")
    return identities.phone(rng, region, style)


def _account(rng: Random, _: Person, argument: str) -> str:
    return identities.account(rng, argument.removesuffix("spaced").rstrip(","), spaced=argument.endswith("spaced"))


def _national_id(rng: Random, _: Person, argument: str) -> str:
    country, _comma, style = argument.partition(",")
    number = identities.national_id(rng, country)
    return "".join(filter(str.isalnum, number)) if style == "bare" else number


def _born(rng: Random, _: Person, argument: str) -> str:
    year, month, day = rng.randint(1945, 2008), rng.randint(1, 12), rng.randint(1, 28)
    return f"{day:02}.{month:02}.{year}" if argument == "de" else f"{year}-{month:02}-{day:02}"


PERSONAL: Mapping[str, Value] = {
    "email": Value("email", lambda rng, person, _: people.email(rng, person)),
    "first": Value("name", _first),
    "last": Value("name", _last),
    "full": Value("name", _full),
    "street": Value("address", lambda _rng, person, _: person.street),
    "login": Value("username", lambda rng, person, _: people.login(rng, person)),
    "userinfo": Value("userinfo", lambda rng, person, _: people.login(rng, person)),
    "home": Value("user_path", lambda rng, person, _: people.login(rng, person)),
    "dob": Value("dob", _born),
    "phone": Value("phone", _phone),
    "card": Value("card", lambda rng, _, argument: identities.card(rng, argument)),
    "cvc": Value("cvc", lambda rng, _, __: credentials.digits(rng, 3)),
    "iban": Value("iban", _account),
    "ssn": Value("ssn", lambda rng, _, argument: identities.national_id(rng, "us").replace("-", argument or "-")),
    "nid": Value("national_id", _national_id),
    "document": Value("national_id", lambda rng, _, __: devices.serial(rng)),
    "ipv4": Value("ipv4", lambda rng, _, argument: devices.ipv4(rng, argument)),
    "ipv6": Value("ipv6", lambda rng, _, __: devices.ipv6(rng)),
    "dashed": Value("ip_dashed", lambda rng, _, __: devices.ipv4(rng, "").replace(".", "-")),
    "mac": Value("mac", lambda rng, _, argument: devices.mac(rng, argument)),
    "imei": Value("imei", lambda rng, _, __: identities.device_number(rng)),
    "gaid": Value("device_id", lambda rng, _, __: devices.uuid(rng)),
    "idfa": Value("device_id", lambda rng, _, __: devices.uuid(rng).upper()),
    "androidid": Value("device_id", lambda rng, _, __: credentials.hexadecimal(rng, 16)),
    "serial": Value("device_id", lambda rng, _, __: devices.serial(rng)),
    "pushtoken": Value("device_id", lambda rng, _, __: credentials.hexadecimal(rng, 64)),
    "devicename": Value("device_name", lambda rng, person, _: devices.device_name(rng, person)),
    "lat": Value("geo", lambda rng, _, __: devices.coordinate(rng, 90)),
    "lon": Value("geo", lambda rng, _, __: devices.coordinate(rng, 180)),
    "jwt": Value("jwt", lambda rng, person, _: credentials.jwt(rng, people.email(rng, person))),
    "token": Value("token", lambda rng, _, argument: credentials.alnum(rng, int(argument or 32))),
    "urltoken": Value("token", lambda rng, _, argument: credentials.urlsafe(rng, int(argument or 43))),
    "hextoken": Value("token", lambda rng, _, argument: credentials.hexadecimal(rng, int(argument or 32))),
    "uuidtoken": Value("token", lambda rng, _, __: devices.uuid(rng)),
    "otp": Value("token", lambda rng, _, argument: credentials.digits(rng, int(argument or 6))),
    "oauth": Value("oauth", lambda rng, _, argument: credentials.urlsafe(rng, int(argument or 40))),
    "apikey": Value("api_key", lambda rng, _, argument: credentials.api_key(rng, argument)),
    "plainkey": Value("api_key", lambda rng, _, argument: credentials.alnum(rng, int(argument or 32))),
    "hexkey": Value("api_key", lambda rng, _, argument: credentials.hexadecimal(rng, int(argument or 32))),
    "uuidkey": Value("api_key", lambda rng, _, __: devices.uuid(rng)),
    "secret": Value("api_key", lambda rng, _, argument: credentials.urlsafe(rng, int(argument or 40))),
    "sig": Value("signature", lambda rng, _, __: credentials.signature(rng)),
    "sig64": Value("signature", lambda rng, _, __: credentials.signature64(rng)),
    "longsig": Value("signature", lambda rng, _, argument: credentials.urlsafe(rng, int(argument or 172))),
    "password": Value("password", lambda rng, _, __: credentials.password(rng)),
    "weak": Value("password", lambda rng, _, __: credentials.weak_password(rng)),
    "cookie": Value("cookie", lambda rng, _, argument: credentials.alnum(rng, int(argument or 26))),
    "session": Value("session", lambda rng, _, argument: credentials.alnum(rng, int(argument or 24))),
    "hexsession": Value("session", lambda rng, _, __: credentials.hexadecimal(rng, 32)),
    "pem": Value("private_key", lambda rng, _, __: credentials.private_key(rng)),
}
