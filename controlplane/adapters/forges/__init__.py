"""Hosts of repositories: the same promises as those of the embedded one."""

from controlplane.adapters.forges.github import GitHub
from controlplane.adapters.forges.github import connect as connect_github
from controlplane.adapters.forges.gitlab import GitLab
from controlplane.adapters.forges.gitlab import connect as connect_gitlab

__all__ = ["GitHub", "GitLab", "connect_github", "connect_gitlab"]
