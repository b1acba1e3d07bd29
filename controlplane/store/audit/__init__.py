"""The audit: append-only, each entry sealed with the digest of the one before it."""

from controlplane.store.audit.entries import AuditFilter, append, export, page
from controlplane.store.audit.files import write_out
from controlplane.store.audit.trimming import TRIMMED, Stretch, oldest, trim
from controlplane.store.audit.verification import Verdict, verify

__all__ = [
    "TRIMMED",
    "AuditFilter",
    "Stretch",
    "Verdict",
    "append",
    "export",
    "oldest",
    "page",
    "trim",
    "verify",
    "write_out",
]
