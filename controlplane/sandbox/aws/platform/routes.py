"""Where a service of moto's answers, for a subclass of ours: moto looks for it beside the class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def routes(of_moto: dict[str, Any], answers: Callable[..., Any] | None = None, *more: str) -> dict[str, Any]:
    """moto's own paths, given to other answers where there are some, and paths that moto lacks."""
    paths = {path.format(""): answers or handler for path, handler in of_moto.items()}
    return {path: answers for path in more} | paths
