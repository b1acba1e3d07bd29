"""Hosts of repositories, by REST: the same promises as those of the embedded one."""

from controlplane.adapters.forges.github import GitHub
from controlplane.adapters.forges.line import Line

__all__ = ["GitHub", "Line"]
