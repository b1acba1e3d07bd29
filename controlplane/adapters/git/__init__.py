"""Git as data: read, and written in whole folders; nothing is checked out, no hook and no filter runs."""

from controlplane.adapters.git.repository import Repository

__all__ = ["Repository"]
