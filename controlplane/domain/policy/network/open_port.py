"""The database's port is not open to the world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from controlplane.domain.cost.gate import Level
from controlplane.domain.plan.values import mapping
from controlplane.domain.policy.values import INSTANCES, NOT_KNOWN, Breach, Planned, PolicyInput, Rule

_Network = IPv4Network | IPv6Network
_GROUPS = frozenset({"aws_security_group", "aws_default_security_group"})
_RULES = frozenset({"aws_vpc_security_group_ingress_rule", "aws_security_group_rule"})
_ANY_PROTOCOL, _TCP = frozenset({"-1", "all"}), frozenset({"tcp", "6"})
# A public network with fewer fixed bits is as good as the world: two halves of it are two /1.
_LEAST_PREFIX = {4: 16, 6: 32}
_PRIVATE = tuple(
    ip_network(c) for c in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
_CIDRS = ("cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6")
_WAY = "name the application's security group as the source, never a CIDR"


def _check(asked: PolicyInput) -> Iterator[Breach]:
    ports = asked.facts.database_ports | _ports(asked)
    for planned in asked.coming(_GROUPS | _RULES):
        for rule in _ingress(planned):
            for source in _cidrs(rule):
                if _covers(rule, ports) and is_world(source):
                    yield Breach(f"would open the database's port to {source}", planned.address, _WAY)
        if planned.change.type in _RULES and any(planned.value(name) is NOT_KNOWN for name in _CIDRS):
            yield Breach("whom it lets in is not known before apply", planned.address, _WAY, Level.APPROVE)


def _ports(asked: PolicyInput) -> frozenset[int]:
    found = (planned.value("port") for planned in asked.coming(INSTANCES))
    return frozenset(port for port in found if isinstance(port, int) and port)


def _ingress(planned: Planned) -> list[Mapping[str, Any]]:
    if planned.change.type in _GROUPS:
        return [mapping(rule) for rule in planned.after.get("ingress") or []]
    return [] if planned.after.get("type") == "egress" else [planned.after]


def _covers(rule: Mapping[str, Any], ports: frozenset[int]) -> bool:
    protocol = str(rule.get("ip_protocol", rule.get("protocol", ""))).lower()
    if protocol in _ANY_PROTOCOL:
        return True
    low, high = rule.get("from_port"), rule.get("to_port")
    low, high = (0 if low is None else low), (65_535 if high is None else high)
    return protocol in _TCP and any(low <= port <= high for port in ports)


def _cidrs(rule: Mapping[str, Any]) -> Iterator[str]:
    for name in _CIDRS:
        value = rule.get(name) or []
        yield from [value] if isinstance(value, str) else map(str, value)


def is_world(cidr: str) -> bool:
    """Whether a source is so wide that it is nobody in particular; what cannot be read counts as that."""
    try:
        network = ip_network(cidr, strict=False)
    except ValueError:
        return True
    if any(_is_within(network, inner) for inner in _PRIVATE):
        return False
    return network.prefixlen < _LEAST_PREFIX[network.version]


def _is_within(network: _Network, outer: _Network) -> bool:
    if isinstance(network, IPv4Network) and isinstance(outer, IPv4Network):
        return network.subnet_of(outer)
    if isinstance(network, IPv6Network) and isinstance(outer, IPv6Network):
        return network.subnet_of(outer)
    return False


RULE = Rule("network.open_port", Level.FORBID, "only the application's security group reaches it", _check)
