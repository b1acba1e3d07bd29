"""A Terraform plan as data: what it does, what it means, what it will cost in outage, what became of it."""

from controlplane.domain.plan.summary import Action, PlanSummary, ResourceChange, parse

__all__ = ["Action", "PlanSummary", "ResourceChange", "parse"]
