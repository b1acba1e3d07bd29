"""The table of what changing an attribute of an RDS instance does: read once, checked whole."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from controlplane.catalog.toml_files import Table, read
from controlplane.domain.plan.forecast import AttributeRule, AttributeTable, How, Outage

FILE = Path(__file__).with_name("rds_attributes.toml")
_HOWS = ("in_place", "reboot", "replace", "impossible")
_WHENS = ("", "raise", "lower", "on", "off", "minor", "major", "downgrade", "magnetic")


@cache
def load_attributes(file: Path = FILE) -> AttributeTable:
    table = read(file)
    table.number("schema_version", 1, 1)
    rules = tuple(_rule(row) for row in table.tables("attribute"))
    table.done()
    keys = [(rule.name, rule.engine, rule.when) for rule in rules]
    for key in keys:
        if keys.count(key) > 1:
            table.fail("attribute", f"has two rows for {' '.join(part for part in key if part)}")
    return AttributeTable(rules)


def _rule(row: Table) -> AttributeRule:
    rule = AttributeRule(
        name=row.text("name"),
        how=How(row.text("how", _HOWS)),
        words=row.text("words"),
        engine=row.text("engine", default=""),
        when=row.text("when", _WHENS, default=""),
        waits=row.get("waits", bool, False),
        single=_band(row, "single"),
        multi_az=_band(row, "multi_az"),
        way=row.text("way", default=""),
    )
    row.done()
    if (rule.how is How.REBOOT) != bool(rule.single.most and rule.multi_az.most):
        row.fail("single", f"{rule.name}: a reboot has both bands, nothing else has any")
    if (rule.how in (How.REPLACE, How.IMPOSSIBLE)) != bool(rule.way):
        row.fail("way", f"{rule.name}: what cannot be done says the way that works")
    return rule


def _band(row: Table, key: str) -> Outage:
    band = row.get(key, list, [0, 0])
    if len(band) != 2 or not all(isinstance(s, int) for s in band) or not 0 <= band[0] <= band[1]:
        row.fail(key, f"is {band}, which is not [least, most] in seconds")
    return Outage(band[0], band[1])
