"""Examples for the OpenAPI document: of every body that is sent or answered, in the words of one story.

A value follows from its property's name, else from its schema, so that a new route has its example at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_AT, _LATER = "2026-03-02T12:00:00+00:00", "2026-03-02T12:04:10+00:00"
_DIGEST = "5f2b6d3f0c4e8a917d6b1c2e3f405162738495a6b7c8d9e0f1a2b3c4d5e6f708"
_STORY: Mapping[str, Any] = {
    "action": "tenant.resize",
    "actor": "token:ops",
    "attribute": "instance_class",
    "backup_reaches": _AT,
    "blueprint": "fargate_db_per_tenant",
    "branch": "controlplane/acme-resize",
    "cause": "the operation op-1m7w8khsd95yez71 waits for an approval",
    "cell": "default",
    "code": "conflict",
    "confirm": "acme",
    "copy_slug": "acme-drill-x7k2m",
    "cost_after": "71.25",
    "cost_before": "98.60",
    "created_by": "token:ops",
    "cron": "0 22 * * *",
    "current_size": "small",
    "day": "2026-03-02",
    "detail": "acme is held by token:ops's resize, op-1m7w8khsd95yez71 (planning)",
    "digest": _DIGEST,
    "display_name": "Acme Corporation",
    "effect": "sleep",
    "ended_at": None,
    "endpoint": "acme-e1.c9akciq32.us-east-1.rds.amazonaws.com",
    "engine_version": "16.4",
    "environment": "development",
    "error": None,
    "event": "tenant.ready",
    "expected": "db.t4g.small",
    "field": "size",
    "finding": "Overprovisioned",
    "found": "db.t4g.medium",
    "head": f"128:{_DIGEST}",
    "hint": "controlplane operation show op-1m7w8khsd95yez71",
    "holder": "token:ops",
    "id": "op-1m7w8khsd95yez71",
    "identifier": "acme-a1b2c3d4-e1",
    "instance": "/v1/tenants/acme/resize",
    "instance_class": "db.t4g.small",
    "last_status": "done",
    "last_words": "42 databases: as recorded; 0 left alone",
    "kind": "resize",
    "locations": 3,
    "message": "is not one of micro, small, medium, large",
    "minutes": 600,
    "name": "nightly",
    "next_command": "controlplane operation approve op-1m7w8khsd95yez71 --digest 5f2b6d3f0c4e",
    "next_page_token": None,
    "next_step": "controlplane drift reconcile dr-1m7w8khsd95yez71",
    "operation": "op-1m7w8khsd95yez71",
    "origin": "10.0.3.7",
    "outage": "1 to 2 minutes, in the maintenance window",
    "path": "main.tf",
    "phase": "ready",
    "plan": None,
    "port": 5432,
    "problem": "",
    "proposed_slug": "acme",
    "reason": "the spring campaign ended",
    "region": "us-east-1",
    "rehearsal": None,
    "request_id": "req-1m7w8khsd95yez71",
    "requested_by": "token:ops",
    "response": None,
    "revert": "controlplane tenant resize acme --size medium",
    "review": "rev-1m7w8khsd95yez71",
    "risk": "low",
    "run": "op-1m7w8khsd95yez71-plan",
    "scope": "tenant:acme",
    "secret": "cp_shown-once-and-kept-as-a-hash-only",
    "selector": "stage=poc",
    "revoked_at": None,
    "severity": "real",
    "situation": "changed",
    "size": "small",
    "slug": "acme",
    "source": "aws",
    "state": "living",
    "status": "pending",
    "step": "apply",
    "storage_gb": 40,
    "subject": "tenant/acme",
    "target": "acme",
    "target_size": "small",
    "template_version": "1",
    "tenant": "acme",
    "tenants": ["acme"],
    "text": "aws_db_instance.this: Modifying... [id=db-ABCDEFGHIJKL]",
    "title": "resize acme to small",
    "torn_down_at": None,
    "trace": "0af7651916cd43dd8448eb211c80319c",
    "type": "urn:controlplane:problem:conflict",
    "uid": "a1b2c3d4",
    "url": "https://hooks.example.com/controlplane",
    "users": 250,
    "verb": "resize",
    "version": "0.1.0",
    "waiting_for": "its turn",
    "what": "changed",
    "who_may_act": "an operator other than token:ops",
    "words": "AWS has db.t4g.medium where db.t4g.small is recorded",
    "workspace": "tenant-a1b2c3d4",
    "zone": "Europe/Berlin",
}
_ENDINGS: Mapping[str, Any] = {
    "_at": _AT,
    "_usd": "71.25",
    "_commit": "9fceb02d0ae598e95dc970b74767f19372d61af8",
    "_seconds": 312.4,
}
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
_REST: Mapping[str, Any] = {"integer": 1, "number": 1.0, "boolean": False, "object": {}, "null": None}


# Bodies that names alone get wrong: what goes together there is more than each for itself.
SENT: Mapping[str, Any] = {"Rows": {"items": [{"slug": "acme"}, {"slug": "globex", "stage": "poc"}]}}
# What is answered as text, by its path.
TEXTS: Mapping[str, str] = {
    "/metrics": "# TYPE controlplane_operations_waiting gauge\ncontrolplane_operations_waiting 2\n",
    "/v1/operations/{operation_id}/events": (
        f'id: 7\nevent: step\ndata: {{"offset": 7, "at": "{_AT}", "type": "step", "step": "apply", '
        '"text": "applying the approved plan", "data": {}}\n\n'
    ),
    "/v1/operations/{operation_id}/log": f"{_AT[:19]} aws_db_instance.this: Modifying...\n",
}


class Teller:
    """Tells examples from the schemas of one document. `whole`: bodies that no rule by names gets right."""

    def __init__(self, schemas: Mapping[str, Schema], whole: Mapping[str, Any]) -> None:
        self._schemas, self._whole = schemas, whole

    def sent(self, schema: Schema) -> Any:
        """What is needed, and what the story has a word for."""
        return self._of(schema, "", sent=True)

    def answered(self, schema: Schema) -> Any:
        """Every property."""
        return self._of(schema, "", sent=False)

    def _of(self, schema: Schema, name: str, *, sent: bool) -> Any:
        if "$ref" in schema:
            title = schema["$ref"].rpartition("/")[2]
            if title in self._whole:
                return self._whole[title]
            return self._of(self._schemas[title], name, sent=sent)
        if "anyOf" in schema:
            return self._of_any(schema["anyOf"], name, sent=sent)
        word = _word(name)
        if "enum" in schema or "const" in schema:
            choices = schema.get("enum") or [schema["const"]]
            return word if word in choices else choices[0]
        if word is not None and isinstance(word, _TYPES.get(schema.get("type", ""), ())):
            return word
        return self._of_type(schema, name, sent=sent)

    def _of_any(self, choices: list[Schema], name: str, *, sent: bool) -> Any:
        """Of what may also be null, what it is otherwise; null where the story says so."""
        if name in _STORY and _STORY[name] is None:
            return None
        return self._of(next(c for c in choices if c.get("type") != "null"), name, sent=sent)

    def _of_type(self, schema: Schema, name: str, *, sent: bool) -> Any:
        if "properties" in schema:
            return self._of_object(schema, sent=sent)
        if schema.get("type") == "array":
            items = schema.get("items", {})
            return [self._of(items, name.removesuffix("s"), sent=sent)] if items.get("$ref") else []
        if "default" in schema:
            return schema["default"]
        if "minimum" in schema:
            return schema["minimum"]
        return _REST.get(schema.get("type", "object"), name.replace("_", " "))

    def _of_object(self, schema: Schema, *, sent: bool) -> dict[str, Any]:
        needed = schema.get("required", ())
        return {
            name: self._of(part, name, sent=sent)
            for name, part in schema["properties"].items()
            if not sent or name in needed or _word(name) is not None
        }


def _word(name: str) -> Any:
    if name in _STORY:
        return _STORY[name]
    return next((word for ending, word in _ENDINGS.items() if name.endswith(ending)), None)
