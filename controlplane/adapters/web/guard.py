"""Where our HTTP may go: never, through us, into the network that we stand in.

A name is looked up once and the connection goes to the address that was judged, so that a name which
answers differently a moment later changes nothing. A redirect is not followed, nor a proxy used.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from controlplane.domain.errors import Denied

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

# Globally routed in form, and a way to a private IPv4 address in effect: NAT64 and 6to4.
_WRAPPING = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"))


class BadUrl(ValueError):
    """An URL that we never go to, whatever stands there."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.hint = hint


@dataclass(frozen=True)
class Way:
    """An URL whose host is the one address that was judged; the name goes along beside it."""

    url: str
    host: str  # for the certificate
    named: str  # for the Host header: with its port, as it was written


def resolve(host: str, port: int) -> Sequence[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Guard:
    """`allowed`: hosts and networks inside that an operator named on purpose."""

    def __init__(self, allowed: Sequence[str] = (), look_up: Resolve = resolve) -> None:
        self._networks = [ipaddress.ip_network(a) for a in allowed if _is_network(a)]
        self._hosts = frozenset(a for a in allowed if not _is_network(a))
        self._look_up = look_up

    def is_named(self, host: str) -> bool:
        """Whether the operator named this host, or the network of this address."""
        return host in self._hosts or any(_address(host) in net for net in self._networks if _address(host))

    def check(self, url: str) -> Any:
        """The parts of an URL that we may go to, as far as its form says."""
        parts = _parts(url)
        host = parts.hostname or ""
        if parts.scheme not in ("https", "http") or not host or parts.username or parts.password:
            raise BadUrl("its URL is not https://HOST/…")
        if parts.scheme == "http" and not self.is_named(host):
            raise BadUrl("http is only for hosts that CONTROLPLANE_WEBHOOK_HOSTS names", "use https")
        return parts

    def way(self, url: str) -> Way:
        """Looks the name up, and judges what it leads to."""
        parts = self.check(url)
        host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        address = self.address(host, port)
        netloc = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        pinned = urlunsplit((parts.scheme, netloc, parts.path or "/", parts.query, ""))
        return Way(pinned, host, parts.netloc)

    def address(self, host: str, port: int) -> str:
        """The address to connect to. One bad address among many is enough to refuse the name."""
        found = list(self._look_up(host, port))
        if not found:
            raise OSError(f"{host} has no address")
        if host not in self._hosts and not all(self._may(text) for text in found):
            raise Denied(
                f"reaching {host}: it leads into a network that is not public",
                hint="name the host or network in CONTROLPLANE_WEBHOOK_HOSTS if that is meant",
            )
        return found[0]

    def _may(self, text: str) -> bool:
        address = _address(text.partition("%")[0])
        if address is None:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in net for net in self._networks) or _is_public(mapped)


def _parts(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is no number
    except ValueError as error:
        raise BadUrl("its URL cannot be read") from error
    return parts


def _is_public(address: Address) -> bool:
    wrapped = any(address in net for net in _WRAPPING if net.version == address.version)
    return address.is_global and not (address.is_multicast or address.is_reserved or wrapped)


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True
