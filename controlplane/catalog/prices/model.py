"""The cost model from `model.toml`: facts into frozen values, an unknown or missing field refused."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from controlplane.catalog.fact_files import read_databases, read_quotas
from controlplane.catalog.prices import FOLDER
from controlplane.catalog.values import Quota
from controlplane.domain.cost import model as m
from controlplane.domain.errors import FieldError, Invalid

T = TypeVar("T")


@cache
def load_model() -> m.CostModel:
    facts = FOLDER.parent / "facts"
    text = (FOLDER / "model.toml").read_text(encoding="utf-8")
    databases, quotas = read_databases(facts / "databases.toml"), read_quotas(facts / "quotas.toml")
    return parse_model(tomllib.loads(text, parse_float=Decimal), databases, quotas)


def parse_model(
    data: Mapping[str, Any], databases: Mapping[str, Any], quotas: Mapping[str, Quota]
) -> m.CostModel:
    """The cost model from its own data and the catalog's facts about databases and quotas."""
    rest = {name: value for name, value in data.items() if name != "budget"}
    rest["sizes"] = {
        size.value: {
            "instance_class": facts.instance_class,
            "vcpu": facts.vcpu,
            "memory_gb": Decimal(facts.memory_mb) / 1024,
        }
        for size, facts in databases["sizes"].items()
    }
    rest["tenant"] = {
        **data["tenant"],
        "alarms_per_slot": len(databases["alarms"]),
        "multi_az": {stage.value: tier.multi_az for stage, tier in databases["stages"].items()},
    }
    rest["limits"] = [_limit(row, quotas) for row in data["limits"]]
    rest["operations"] = {int(n): usd for n, usd in data["operations"].items()}
    rest |= {"budget_usd": data["budget"]["usd"], "budget_percents": data["budget"]["percents"]}
    return _build(m.CostModel, rest, "model")


def _limit(row: Mapping[str, Any], quotas: Mapping[str, Quota]) -> dict[str, Any]:
    quota = quotas.get(row["quota"])
    if quota is None:
        message = f"there is no quota {row['quota']!r}"
        raise Invalid(f"the cost model cannot be read: {message}", errors=[FieldError("limits", message)])
    name = f"{quota.name.replace('_', ' ')} a {quota.per}"
    return {"name": name, "limit": quota.limit, **{k: v for k, v in row.items() if k != "quota"}}


def _build(kind: type[T], data: Mapping[str, Any], where: str) -> T:
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    odd = sorted(set(data) - set(known))
    missing = sorted(
        name
        for name, f in known.items()
        if name not in data and f.default is MISSING and f.default_factory is MISSING
    )
    if odd or missing:
        message = f"{where}: unknown {', '.join(odd) or 'nothing'}; missing {', '.join(missing) or 'nothing'}"
        raise Invalid(f"the cost model cannot be read: {message}", errors=[FieldError(where, message)])
    hints = _hints(kind)  # type: ignore[arg-type]
    return kind(**{name: _value(hints[name], value, f"{where}.{name}") for name, value in data.items()})


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(hint: Any, value: Any, where: str) -> Any:
    if hint is Decimal:
        return Decimal(value)
    if is_dataclass(hint) and isinstance(hint, type):
        return _build(hint, value, where)
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple:
        return tuple(_value(args[0], item, f"{where}[{n}]") for n, item in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        return {key: _value(args[1], item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(hint, type) and not isinstance(value, hint):
        message = f"must be {hint.__name__}, and is {value!r}"
        raise Invalid(
            f"the cost model cannot be read: {where} {message}", errors=[FieldError(where, message)]
        )
    return value
