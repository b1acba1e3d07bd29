"""What stands at the root of the repository: the fleet's table, and who is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from controlplane.domain.review.text import cell

_COLUMNS = ("slug", "stage", "size", "region", "environment", "phase", "monthly_usd")
OWNERS_AT_FIRST = """\
# Who is asked for a review, as forges read it. Read from the base branch only; never written again by us.
/platforms/ @platform
/tenants/ @platform
"""


def readme(tenants: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        "| " + " | ".join(cell("" if t.get(c) is None else str(t[c])) for c in _COLUMNS) + " |"
        for t in tenants
    ]
    return (
        "# The fleet\n\n"
        "Written by the control plane after every change. To ask for one, change "
        "`tenants/<slug>/tenant.yaml` in a branch: everything else follows from it and is never read.\n\n"
        "| " + " | ".join(_COLUMNS) + " |\n" + "|---" * len(_COLUMNS) + "|\n" + "\n".join(rows) + "\n"
    )
