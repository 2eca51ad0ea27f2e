"""Headless Chromium on the slow network: every name ending in .firsthop.test answers with known delays over TLS."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, async_playwright

from tests.chromium import ARGUMENTS
from tests.contracts.slow_network import Certificate, certify, holding_tls_back, slow_resolver, use_resolver
from tests.contracts.web.bundle import HERE, node

START_S = 60


@dataclass(frozen=True)
class SlowBrowser:
    """The browser, the two ports on which the site answers, HTTP/1.1 and HTTP/2, and the key of every server."""

    context: BrowserContext
    http1: int
    http2: int
    certificate: Certificate


@asynccontextmanager
async def slow_browser(directory: Path, script: Path, *arguments: str) -> AsyncIterator[SlowBrowser]:
    """Starts it all; the test is skipped by name where Chromium is not installed.

    Args:
        directory: for key, certificate and profile.
        script: the one script of the page at `/`.
        arguments: of Chromium, beside those of all tests.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed: python tests/browser/setup.py")
    certificate = certify(directory)
    async with AsyncExitStack() as stack:
        ports = await stack.enter_async_context(_answering(certificate, script))
        held = [await stack.enter_async_context(holding_tls_back(port)) for port in ports]
        resolver = await stack.enter_async_context(slow_resolver(certificate))
        use_resolver(directory / "profile", resolver)
        playwright = await stack.enter_async_context(async_playwright())
        trusted = f"--ignore-certificate-errors-spki-list={certificate.fingerprint}"
        context = await playwright.chromium.launch_persistent_context(
            directory / "profile", executable_path=chromium, args=[*ARGUMENTS, trusted, *arguments]
        )
        stack.push_async_callback(context.close)
        yield SlowBrowser(context, *held, certificate)


@asynccontextmanager
async def _answering(certificate: Certificate, script: Path) -> AsyncIterator[list[int]]:
    """The server of known delays; its ports."""
    server = await asyncio.create_subprocess_exec(
        node(),
        HERE / "timed_server.mjs",
        certificate.key,
        certificate.certificate,
        script,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert server.stdout is not None
        yield json.loads(await asyncio.wait_for(server.stdout.readline(), START_S))
    finally:
        server.kill()
        await server.wait()
