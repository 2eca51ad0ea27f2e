"""A network with known delays for a browser, on loopback: its resolver, its certificate, and relays that hold TLS back.

Nothing of the machine is changed: Chromium is told by its own profile to ask this resolver (DNS over HTTPS) alone, and
by a flag to trust this one key.
"""

import asyncio
import base64
import datetime as dt
import hashlib
import ipaddress
import json
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DNS_S = 0.12
TLS_S = 0.09
EARLY_S = 0.005
"""Timers may fire a little early by the browser's clock; the delays are lower bounds."""

MISSING = "nowhere"
"""First label of names that do not exist."""

_A = 1
_NO_SUCH_NAME = 3


@dataclass(frozen=True)
class Certificate:
    """One key for every server of the test, and what Chromium must be told to trust it."""

    key: Path
    certificate: Path
    fingerprint: str

    def server_side(self) -> ssl.SSLContext:
        """For servers of this process."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def certify(directory: Path) -> Certificate:
    """A fresh key and a certificate for *.test and 127.0.0.1 in the directory."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "slow network")])
    names = [x509.DNSName("*.firsthop.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    made = Certificate(
        key=directory / "key.pem",
        certificate=directory / "certificate.pem",
        fingerprint=base64.b64encode(hashlib.sha256(_public_key(key)).digest()).decode(),
    )
    made.key.write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    made.certificate.write_bytes(certificate.public_bytes(pem))
    return made


def _public_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    der, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(der, form)


def use_resolver(profile: Path, port: int) -> None:
    """Writes into a new Chromium profile that this resolver answers for every name, and no other is asked."""
    template = f"https://127.0.0.1:{port}/dns-query{{?dns}}"
    profile.mkdir()
    (profile / "Local State").write_text(json.dumps({"dns_over_https": {"mode": "secure", "templates": template}}))


@asynccontextmanager
async def slow_resolver(certificate: Certificate) -> AsyncIterator[int]:
    """Port of a DNS-over-HTTPS server (RFC 8484) that says 127.0.0.1 to every name, `DNS_S` after it was asked."""

    async def answer(request: web.Request) -> web.Response:
        if request.method == "POST":
            query = await request.read()
        else:
            asked = request.query["dns"]
            query = base64.urlsafe_b64decode(asked + "=" * (-len(asked) % 4))
        await asyncio.sleep(DNS_S + EARLY_S)
        return web.Response(body=_resolved(query), content_type="application/dns-message")

    app = web.Application()
    app.router.add_route("*", "/dns-query", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificate.server_side()).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


def _resolved(query: bytes) -> bytes:
    """The answer to a query of one question: https://www.rfc-editor.org/rfc/rfc1035#section-4."""
    end = query.index(b"\0", 12) + 5
    question, kind = query[12:end], struct.unpack(">H", query[end - 4 : end - 2])[0]
    missing = question[1 : 1 + question[0]] == MISSING.encode()
    found = kind == _A and not missing
    code = _NO_SUCH_NAME if missing else 0
    header = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, int(found), 0, 0)
    address = struct.pack(">HHHIH4B", 0xC00C, _A, 1, 600, 4, 127, 0, 0, 1)
    return header + question + (address if found else b"")


@asynccontextmanager
async def holding_tls_back(port: int) -> AsyncIterator[int]:
    """A port that leads to the given one, and passes the first byte of a connection on after `TLS_S`."""

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(TLS_S + EARLY_S)
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    server = await asyncio.start_server(lead, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@asynccontextmanager
async def behind_tls(port: int, certificate: Certificate) -> AsyncIterator[int]:
    """A port that speaks TLS, as a proxy in front of the given one does."""

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    server = await asyncio.start_server(lead, "127.0.0.1", 0, ssl=certificate.server_side())
    yield server.sockets[0].getsockname()[1]
    server.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()
