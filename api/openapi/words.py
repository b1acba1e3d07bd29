"""What the document says of a word beyond its type: the grammar that the program goes by.

It is said, not enforced: the parsers refuse with words of their own, which name the way that works. That both
agree is shown by requests that are made from the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.deps import ENTITY_TAG
from controlplane.catalog import Catalog
from controlplane.domain.cost.fleet import GROUPS
from controlplane.domain.names import SLUG
from controlplane.services.fleet import SORTS

Json = dict[str, Any]

_SORTS = "|".join(SORTS)
_SLUG: Json = {"pattern": f"^{SLUG}$"}
_DECIMAL: Json = {"pattern": r"^[0-9]{1,6}(\.[0-9]{1,3})?$"}
# Of parameters, wherever they are.
_EVERYWHERE: Mapping[str, Json] = {"slug": _SLUG, "If-Match": {"pattern": f"^{ENTITY_TAG}$"}}
# Of one path's parameters: elsewhere the same name may be any word.
_THERE: Mapping[tuple[str, str], Json] = {
    ("/v1/tenants", "sort"): {"pattern": rf"^(-?({_SORTS})|({_SORTS}) (asc|desc))$"},
    ("/v1/costs/fleet", "by"): {"pattern": f"^({'|'.join(GROUPS)}|label:.*)$"},
    ("/v1/audit/verification", "head"): {"pattern": "^([0-9]{1,18}:.+)?$"},
}


def tell(found: Json, catalog: Catalog) -> None:
    """Say it in the whole document."""
    for path, operation in ((path, o) for path, methods in found["paths"].items() for o in methods.values()):
        for parameter in operation.get("parameters", ()):
            parameter["schema"] = _without_null(parameter["schema"])
            parameter["schema"] |= _of_parameter(path, parameter["name"], catalog)
    schemas = found["components"]["schemas"]
    schemas["Create"]["properties"]["slug"] |= _SLUG
    schemas["Restore"]["properties"]["as"]["anyOf"][0] |= _SLUG
    for schema in _decimals(schemas):
        schema.update(_DECIMAL)
    for schema in _mappings(schemas):
        schema["additionalProperties"] = False


def _of_parameter(path: str, name: str, catalog: Catalog) -> Json:
    if path.startswith("/v1/blueprints/") and name == "name":
        return {"enum": sorted(catalog.blueprints)}
    return dict(_THERE.get((path, name)) or _EVERYWHERE.get(name) or {})


def _without_null(schema: Json) -> Json:
    """A parameter is a word or is absent; `null` would be the word null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**kinds[0], **{key: value for key, value in schema.items() if key != "anyOf"}}


def _decimals(schemas: Json) -> Iterator[Json]:
    """A number that may be sent as words, so that nothing of it is lost."""
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            kinds = field.get("anyOf", ())
            if any(kind.get("type") == "number" for kind in kinds):
                yield from (kind for kind in kinds if kind.get("type") == "string")


def _mappings(found: Any) -> Iterator[Json]:
    """Of keys that follow a pattern: the framework leaves open whether others may stand beside them."""
    if isinstance(found, dict):
        if "patternProperties" in found:
            yield found
        found = list(found.values())
    if isinstance(found, list):
        for part in found:
            yield from _mappings(part)
