"""Why something is in its state: cause, evidence, who may act, and the exact next command.

One row for every phase of a tenant, every status of an operation, every state of a migration and of a run;
what is not known is said to be so.
"""

from controlplane.domain.explain.migrations import MIGRATION_ROWS, MigrationFacts, explain_migration
from controlplane.domain.explain.operations import OPERATION_ROWS, OperationFacts, explain_operation
from controlplane.domain.explain.runs import RUN_ROWS, RunFacts, RunState, explain_run
from controlplane.domain.explain.tenants import TENANT_ROWS, TenantFacts, explain_tenant
from controlplane.domain.explain.words import Explanation

__all__ = [
    "MIGRATION_ROWS",
    "OPERATION_ROWS",
    "RUN_ROWS",
    "TENANT_ROWS",
    "Explanation",
    "MigrationFacts",
    "OperationFacts",
    "RunFacts",
    "RunState",
    "TenantFacts",
    "explain_migration",
    "explain_operation",
    "explain_run",
    "explain_tenant",
]
