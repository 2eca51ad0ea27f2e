"""Secrets of every make, put together when they are asked for: none stands in this file."""

import base64
import hashlib
import hmac
import json
from random import Random

_LOWER = "abcdefghijklmnopqrstuvwxyz"
_ALNUM = _LOWER + _LOWER.upper() + "0123456789"
_BASE32 = _LOWER.upper() + "234567"
_URLSAFE = _ALNUM + "-_"

_TAGGED = {
    # service: tag, alphabet, length after the tag
    "aws": ("AK" + "IA", _BASE32, 16),
    "aws_session": ("AS" + "IA", _BASE32, 16),
    "google": ("AI" + "za", _URLSAFE, 35),
    "google_oauth": ("GOC" + "SPX-", _URLSAFE, 28),
    "google_access": ("ya" + "29.a0", _URLSAFE, 120),
    "github": ("gh" + "p_", _ALNUM, 36),
    "github_app": ("gh" + "s_", _ALNUM, 36),
    "github_fine": ("github" + "_pat_", _ALNUM, 82),
    "gitlab": ("gl" + "pat-", _URLSAFE, 20),
    "slack": ("xo" + "xb-", "0123456789", 12),
    "stripe": ("sk" + "_live_", _ALNUM, 24),
    "stripe_restricted": ("rk" + "_live_", _ALNUM, 24),
    "stripe_hook": ("wh" + "sec_", _ALNUM, 32),
    "sendgrid": ("S" + "G.", _URLSAFE, 22),
    "npm": ("np" + "m_", _ALNUM, 36),
    "pypi": ("pypi-" + "AgEIcHlwaS5vcmc", _URLSAFE, 60),
    "databricks": ("da" + "pi", "0123456789abcdef", 32),
    "vault": ("hv" + "s.", _URLSAFE, 90),
    "openai": ("sk-" + "proj-", _ALNUM, 48),
    "anthropic": ("sk-" + "ant-api03-", _URLSAFE, 93),
    "huggingface": ("h" + "f_", _LOWER + _LOWER.upper(), 34),
    "digitalocean": ("dop" + "_v1_", "0123456789abcdef", 64),
    "shopify": ("shp" + "at_", "0123456789abcdef", 32),
    "newrelic": ("NR" + "AK-", _BASE32, 27),
    "linear": ("lin" + "_api_", _ALNUM, 40),
    "grafana": ("gl" + "sa_", _ALNUM, 32),
    "postman": ("PM" + "AK-", "0123456789abcdef", 24),
    "figma": ("fi" + "gd_", _URLSAFE, 40),
    "square": ("sq0" + "atp-", _URLSAFE, 22),
    "doppler": ("dp" + ".pt.", _ALNUM, 43),
    "atlassian": ("ATATT3" + "xFfGF0", _URLSAFE, 170),
    "supabase": ("sb" + "p_", "0123456789abcdef", 40),
    "razorpay": ("rzp" + "_live_", _ALNUM, 14),
    "planetscale": ("pscale" + "_tkn_", _URLSAFE, 43),
    "facebook": ("EAA" + "CEdEose0c", _ALNUM, 120),
    "mailgun": ("ke" + "y-", "0123456789abcdef", 32),
    "age": ("AGE-SECRET" + "-KEY-1", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58),
}
_WORDS = ("Kestrel", "Sunset", "Orbit", "Mango", "Tr0ub4dor", "Papillon", "Winter", "dragon", "Blue-Heron", "Cafe")


def api_key(rng: Random, service: str) -> str:
    """A key with the service's own tag; any service when none is named."""
    service = service or rng.choice(tuple(_TAGGED))
    tag, alphabet, length = _TAGGED[service]
    key = tag + "".join(rng.choices(alphabet, k=length))
    if service == "slack":
        return key + "-" + digits(rng, 13) + "-" + alnum(rng, 24)
    if service == "sendgrid":
        return key + "." + urlsafe(rng, 43)
    return key


def jwt(rng: Random, subject: str) -> str:
    """A signed web token about the subject."""
    header = {"alg": rng.choice(("HS256", "RS256", "ES256")), "typ": "JWT"}
    claims = {"sub": subject, "iat": rng.randint(1_600_000_000, 1_800_000_000), "scope": "openid"}
    if rng.random() < 0.5:
        header["kid"] = hexadecimal(rng, 8)
    signature = rng.randbytes(rng.choice((32, 64)))
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def password(rng: Random) -> str:
    """What a person chooses: a word, a number, a sign that URLs and JSON can carry."""
    return f"{rng.choice(_WORDS)}{rng.choice('_-.!~*')}{rng.randint(10, 9999)}{rng.choice(('', 'x', 'Zq'))}"


def weak_password(rng: Random) -> str:
    """A password that looks like a word."""
    return rng.choice(("hunter2", "letmein1", "qwertz12", "iloveyou", "passw0rd", "sommer2024", "monkey99"))


def signature(rng: Random) -> str:
    """64 hexadecimal digits: an HMAC."""
    return hmac.new(rng.randbytes(16), b"", hashlib.sha256).hexdigest()


def signature64(rng: Random) -> str:
    """An HMAC in base64, with its padding and signs."""
    return base64.b64encode(rng.randbytes(32)).decode()


def private_key(rng: Random) -> str:
    """The body of a PEM block; the lines around it belong to the template."""
    body = base64.b64encode(rng.randbytes(144)).decode()
    return "MII" + body[3:64] + "\n" + body[64:128] + "\n" + body[128:190]


def digits(rng: Random, length: int) -> str:
    """That many digits, the first of them not 0."""
    return rng.choice("123456789") + "".join(rng.choices("0123456789", k=length - 1))


def hexadecimal(rng: Random, length: int) -> str:
    """That many lower-case hexadecimal digits, at least one of them a letter and one a figure."""
    while True:
        drawn = "".join(rng.choices("0123456789abcdef", k=length))
        if length < 4 or not (drawn.isdigit() or drawn.isalpha()):
            return drawn


def alnum(rng: Random, length: int) -> str:
    """A drawn token of letters and figures."""
    return _mixed(rng, _ALNUM, length)


def urlsafe(rng: Random, length: int) -> str:
    """A drawn token of letters, figures, - and _."""
    return _mixed(rng, _URLSAFE, length)


def _mixed(rng: Random, alphabet: str, length: int) -> str:
    """Drawn until it holds capitals, small letters and figures, as long tokens nearly always do."""
    while True:
        drawn = rng.choice(_ALNUM) + "".join(rng.choices(alphabet, k=length - 2)) + rng.choice(_ALNUM)
        if any(map(str.isupper, drawn)) and any(map(str.islower, drawn)) and any(map(str.isdigit, drawn)):
            return drawn
