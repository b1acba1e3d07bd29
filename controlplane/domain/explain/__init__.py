"""Why something is in its state: cause, evidence, who may act, and the exact next command.

One row for every phase of a tenant and every status of an operation; what is not known is said to be so.
"""

from controlplane.domain.explain.operations import OPERATION_ROWS, OperationFacts, explain_operation
from controlplane.domain.explain.tenants import TENANT_ROWS, TenantFacts, explain_tenant
from controlplane.domain.explain.words import Explanation

__all__ = [
    "OPERATION_ROWS",
    "TENANT_ROWS",
    "Explanation",
    "OperationFacts",
    "TenantFacts",
    "explain_operation",
    "explain_tenant",
]
