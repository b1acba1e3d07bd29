"""What a plan will do to the databases: in place, restart, replacement, later, or not at all.

The facts stand in the catalog (`rds_attributes.toml`); here is only how they are applied to a plan.
What the table does not know is said to be unknown, never harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from controlplane.domain.plan.digest import is_volatile
from controlplane.domain.plan.masking import mask
from controlplane.domain.plan.summary import Action, ResourceChange, read_change, resource_changes
from controlplane.domain.plan.values import mapping, same


class How(StrEnum):
    IN_PLACE = "in_place"  # it goes on serving
    REBOOT = "reboot"  # unreachable for a while
    REPLACE = "replace"  # deleted and made anew
    DELETE = "delete"
    DEFERRED = "deferred"  # not now: in the maintenance window, or at the next reboot
    IMPOSSIBLE = "impossible"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Outage:
    """Seconds without service. `most` None: nobody knows, or for ever."""

    least: int = 0
    most: int | None = 0

    def words(self) -> str:
        if self.most == 0:
            return "no outage"
        most = "an unknown time" if self.most is None else f"{self.most} s"
        return f"{self.least} s to {most} of outage"


NO_OUTAGE, UNKNOWN_OUTAGE = Outage(), Outage(0, None)


@dataclass(frozen=True)
class AttributeRule:
    """One row of the catalog's table."""

    name: str
    how: How
    words: str
    engine: str = ""  # "": every engine
    when: str = ""  # the direction of the change; "": any other
    waits: bool = False  # for the maintenance window, without apply_immediately
    single: Outage = NO_OUTAGE
    multi_az: Outage = NO_OUTAGE
    way: str = ""  # how to get there all the same


@dataclass(frozen=True)
class AttributeTable:
    rules: tuple[AttributeRule, ...]

    def find(self, name: str, engine: str, whens: Sequence[str]) -> AttributeRule | None:
        """The row for the first of these directions, else for any; the engine's own row before the common."""
        for when in (*whens, ""):
            for wanted in (engine, ""):
                for rule in self.rules:
                    if (rule.name, rule.engine, rule.when) == (name, wanted, when):
                        return rule
        return None


@dataclass(frozen=True)
class Forecast:
    """One attribute of one database. Secrets stand masked."""

    address: str
    attribute: str  # "": the whole resource
    before: Any
    after: Any
    how: How
    outage: Outage
    words: str
    way: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "address": self.address,
            "attribute": self.attribute,
            "before": self.before,
            "after": self.after,
            "how": self.how.value,
            "outage_seconds": [self.outage.least, self.outage.most],
            "words": self.words,
            "way": self.way,
        }


def forecast(plan: Mapping[str, Any], table: AttributeTable) -> list[Forecast]:
    """What happens to every database and parameter group that the plan touches."""
    found: list[Forecast] = []
    for entry in resource_changes(mask(plan)):
        change = read_change(entry)
        if change.is_database and change.removes:
            found.append(_removal(change))
        elif change.type == "aws_db_instance" and change.action is Action.UPDATE:
            found += _update(change, entry["change"], table)
        elif change.type == "aws_db_parameter_group" and change.action is Action.UPDATE:
            found += _parameters(change.address, entry["change"])
    return found


def total_outage(forecasts: Iterable[Forecast]) -> Outage:
    """Of what happens at once. Changes share a restart at best and follow one another at worst."""
    return _together(f.outage for f in forecasts if f.how is not How.DEFERRED)


def deferred_outage(forecasts: Iterable[Forecast]) -> Outage:
    """Of what waits for the maintenance window."""
    return _together(f.outage for f in forecasts if f.how is How.DEFERRED)


def _together(outages: Iterable[Outage]) -> Outage:
    bands = list(outages)
    most = [band.most for band in bands]
    known = [seconds for seconds in most if seconds is not None]
    return Outage(max((b.least for b in bands), default=0), None if len(known) < len(most) else sum(known))


def _removal(change: ResourceChange) -> Forecast:
    if change.action is Action.DELETE:
        words = "an object left behind by a replacement is deleted" if change.deposed else "it is deleted"
        return Forecast(change.address, "", None, None, How.DELETE, UNKNOWN_OUTAGE, words)
    cause = ", ".join(change.replace_paths) or change.reason or "Terraform's decision"
    words = f"it is deleted with its data and an empty one is made, because of {cause}"
    way = "a person decides: `operation settle`" if change.reason == "replace_because_tainted" else ""
    return Forecast(change.address, "", None, None, How.REPLACE, UNKNOWN_OUTAGE, words, way)


def _update(change: ResourceChange, sides: Mapping[str, Any], table: AttributeTable) -> list[Forecast]:
    before, after = mapping(sides.get("before")), mapping(sides.get("after"))
    names = [n for n in change.changed if not is_volatile(change.type, n)]
    return [_attribute(change.address, name, before, after, table) for name in names]


def _attribute(
    address: str, name: str, before: Mapping[str, Any], after: Mapping[str, Any], table: AttributeTable
) -> Forecast:
    old, new = before.get(name), after.get(name)
    rule = table.find(
        name, str(after.get("engine") or before.get("engine") or ""), directions(name, old, new)
    )
    if rule is None:
        words = f"what a change of {name} does is not in the catalog's table; take it for an outage"
        return Forecast(address, name, old, new, How.UNKNOWN, UNKNOWN_OUTAGE, words)
    if rule.how in (How.REPLACE, How.IMPOSSIBLE):
        return Forecast(address, name, old, new, rule.how, UNKNOWN_OUTAGE, rule.words, rule.way)
    # A database that is becoming Multi-AZ has no standby yet, one that stops being it soon has none.
    outage = rule.multi_az if before.get("multi_az") and after.get("multi_az") else rule.single
    if rule.waits and not after.get("apply_immediately"):
        words = f"waits for the maintenance window: {rule.words}"
        return Forecast(address, name, old, new, How.DEFERRED, outage, words, rule.way)
    return Forecast(address, name, old, new, rule.how, outage, rule.words, rule.way)


def directions(name: str, before: Any, after: Any) -> tuple[str, ...]:
    """What kind of change it is, the most telling word first."""
    if name == "engine_version":
        return _version_step(str(before or ""), str(after or ""))
    if name == "storage_type":
        return ("magnetic",) if "standard" in (before, after) else ()
    if isinstance(before, bool) or isinstance(after, bool):
        return ("on",) if after else ("off",)
    if not isinstance(before or 0, int | float) or not isinstance(after or 0, int | float):
        return ()
    step = "raise" if (after or 0) > (before or 0) else "lower"
    return ("on", step) if not before else ("off", step) if not after else (step,)


def _version_step(before: str, after: str) -> tuple[str, ...]:
    try:
        old = [int(part) for part in before.split(".")]
        new = [int(part) for part in after.split(".")]
    except ValueError:
        return ()
    if old[0] != new[0]:
        return ("major",) if new[0] > old[0] else ("downgrade",)
    return ("downgrade",) if len(old) == len(new) and new < old else ("minor",)


def _parameters(address: str, sides: Mapping[str, Any]) -> list[Forecast]:
    """Parameters of a group that databases share."""
    old, new = _by_name(sides.get("before")), _by_name(sides.get("after"))
    found = []
    for name in sorted(set(old) | set(new)):
        before, after = mapping(old.get(name)), mapping(new.get(name))
        if same(before, after):
            continue
        at_reboot = (after or before).get("apply_method") == "pending-reboot"
        words = (
            "static: takes effect when each database of the group is rebooted, which nothing does by itself"
            if at_reboot
            else "dynamic: takes effect at once on every database of the group"
        )
        how = How.DEFERRED if at_reboot else How.IN_PLACE
        found.append(Forecast(address, name, before.get("value"), after.get("value"), how, NO_OUTAGE, words))
    return found


def _by_name(side: Any) -> dict[str, Mapping[str, Any]]:
    return {str(p.get("name")): p for p in mapping(side).get("parameter") or [] if isinstance(p, Mapping)}
