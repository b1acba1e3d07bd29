"""The socket that the API listens on."""

from __future__ import annotations

import socket

from controlplane.terminal.serving import bind


def test_answers_do_not_wait_for_an_acknowledgement() -> None:
    """asyncio switches Nagle's algorithm off for sockets whose protocol it is told, and for no others."""
    with bind("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP
