"""The log of this process."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

_log = logging.getLogger("controlplane.notify")


class LogNotifier:
    """One line an event: what happened to whom. The data of an event stays out of the log."""

    def notify(self, event: Mapping[str, Any]) -> None:
        _log.info("%s %s %s", event.get("type", "event"), event.get("subject", ""), event.get("id", ""))
