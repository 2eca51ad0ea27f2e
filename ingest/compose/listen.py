"""Ports: kept for the whole service, bound by each process that shares them."""

import socket

from ingest.compose.home import StartError


def reserve(host: str, port: int, setting: str) -> socket.socket:
    """A socket that keeps the port ours; it does not listen, the roles' own sockets on the same port do.

    Port 0 takes a free one, the same for as long as the socket lives.

    Raises:
        StartError: the port is taken, or the address is none of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # Without SO_REUSEPORT first: with it, a port that another of our services listens on would look free.
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
        return bind(host, port)
    except OSError as error:
        raise StartError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; stop what listens there or set {setting}"
        ) from None


def bind(host: str, port: int) -> socket.socket:
    """A socket on a port that several processes share.

    Raises:
        OSError: the address cannot be bound.
    """
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def address_of(bound: socket.socket) -> str:
    """Where a client on this machine reaches the socket, e.g. http://127.0.0.1:4318."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
