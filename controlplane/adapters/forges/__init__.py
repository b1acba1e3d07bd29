"""Hosts of repositories, by REST: the same promises as those of the embedded one."""

from controlplane.adapters.forges.github import GitHub, connect

__all__ = ["GitHub", "connect"]
