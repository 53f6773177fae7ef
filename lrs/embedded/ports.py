"""Loopback ports: which are free."""

import socket

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now. Port 0 always is."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier server in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port() -> int:
    """A loopback port nobody uses now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def answers(port: int, ask: bytes = b"", within: float = 0.5) -> bytes | None:
    """The first bytes a loopback server answers to `ask` (b"" where nothing is asked); None if nobody is there."""
    try:
        with socket.create_connection((LOOPBACK, port), within) as connection:
            if not ask:
                return b""
            connection.sendall(ask)
            return connection.recv(256)
    except OSError:
        return None
