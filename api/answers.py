"""What a route may answer, in words for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from api import models
from api.problems import MEDIA_TYPE

Responses = dict[int | str, dict[str, Any]]

MEANINGS = {
    400: "The request cannot be read.",
    401: "No token, or one that does not count.",
    403: "This role or scope may not.",
    404: "No such thing, or none that this token sees.",
    405: "Not with this method.",
    406: "Not in a form that was asked for.",
    409: "Right, but not now: somebody holds it, or a rule says no.",
    412: "The tenant was changed since it was seen.",
    413: "Too large.",
    415: "Only JSON is read.",
    422: "Something in the request cannot be right; `errors` says which fields.",
    423: "Locked; the holder is named.",
    428: "Say which revision you saw: `If-Match`.",
    429: "Too many requests; `Retry-After` says when to go on.",
    500: "Something of ours is damaged; a person has to look.",
    503: "Something outside does not answer; try again.",
}
_READING = (400, 401, 403, 404, 422, 429, 500, 503)
_CHANGING = (400, 401, 403, 404, 409, 412, 413, 415, 422, 423, 429, 500, 503)


def _problems(statuses: tuple[int, ...]) -> Responses:
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {status: {"description": MEANINGS[status], "content": {MEDIA_TYPE: schema}} for status in statuses}


def reading(model: type[BaseModel], description: str = "Found.", *more: int) -> dict[str, Any]:
    """For the decorator of a route that reads."""
    good: Responses = {200: {"model": model, "description": description}}
    return {"responses": good | _problems((*_READING, *more)), "response_model": None}


def changing(model: type[BaseModel] = models.Operation, status: int = 202, *more: int) -> dict[str, Any]:
    """For a route that changes something. A dry run answers 200."""
    words = {200: "Done.", 201: "Made.", 202: "Accepted: a long operation."}
    good: Responses = {status: {"model": model, "description": words[status]}}
    if status != 200:
        good[200] = {"model": model, "description": "A dry run: nothing was changed."}
    responses = good | _problems((*_CHANGING, *more))
    return {"responses": responses, "response_model": None, "status_code": status}
