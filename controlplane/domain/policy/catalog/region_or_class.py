"""Only regions and classes that the catalog knows: others have no price, no limits, no tests."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.domain.cost.gate import Level
from controlplane.domain.operation import Kind
from controlplane.domain.plan.values import mapping
from controlplane.domain.policy.values import INSTANCES, Breach, PolicyInput, Rule


def _check(asked: PolicyInput) -> Iterator[Breach]:
    facts = asked.facts
    for where, region in () if facts.kind is Kind.DESTROY else _regions(asked):
        if region not in facts.regions:
            way = f"choose one of {', '.join(sorted(facts.regions)) or 'none'}"
            yield Breach(f"the region {region} is not in the catalog", where, way)
    for planned in asked.staying(INSTANCES):
        chosen = planned.value("instance_class")
        if chosen not in facts.classes:
            way = f"choose one of {', '.join(sorted(facts.classes)) or 'none'}"
            yield Breach(f"the class {chosen} is not in the catalog", planned.address, way)


def _regions(asked: PolicyInput) -> Iterator[tuple[str, str]]:
    """The tenant's region, and what the plan's providers really work in."""
    yield "", asked.facts.region
    providers = mapping(mapping(asked.plan.get("configuration")).get("provider_config"))
    for key, provider in sorted(providers.items()):
        region = mapping(mapping(mapping(provider).get("expressions")).get("region")).get("constant_value")
        if mapping(provider).get("name") == "aws" and region and region != asked.facts.region:
            yield f"provider.{key}", str(region)


RULE = Rule("catalog.region_or_class", Level.FORBID, "what the catalog does not know has no price", _check)
