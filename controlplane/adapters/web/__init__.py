"""The world's HTTP, without a way through us into the network that we stand in."""

from controlplane.adapters.web.guard import BadUrl, Guard
from controlplane.adapters.web.pages import Pages

__all__ = ["BadUrl", "Guard", "Pages"]
