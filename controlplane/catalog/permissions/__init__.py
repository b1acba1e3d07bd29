"""What the control plane may do in an account: one table of actions, and the policies made of it."""

from controlplane.catalog.permissions.policies import documents
from controlplane.catalog.permissions.table import ROLES, Grant, Permissions, load

__all__ = ["ROLES", "Grant", "Permissions", "documents", "load"]
