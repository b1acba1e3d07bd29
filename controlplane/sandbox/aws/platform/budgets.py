"""Budgets as the Terraform provider needs them: who is told, and tags."""

from __future__ import annotations

import json
from typing import Any

from moto.budgets.models import Budget, BudgetsBackend
from moto.budgets.responses import BudgetsResponse


class SandboxBudgets(BudgetsBackend):  # type: ignore[misc]
    """moto keeps who is told and never says it, and has no tags."""

    @property
    def url_paths(self) -> dict[str, Any]:
        return {"/": BudgetsAnswers.dispatch}

    def found(self, account_id: str, name: str) -> Budget:
        self.describe_budget(account_id, name)
        return self.budgets[account_id][name]

    def tags_of(self, arn: str) -> dict[str, str]:
        account_id, name = arn.split(":")[4], arn.rpartition("/")[2]
        tags: dict[str, str] = self.found(account_id, name).__dict__.setdefault("tags", {})
        return tags


class BudgetsAnswers(BudgetsResponse):  # type: ignore[misc]
    def create_budget(self) -> str:
        """moto passes the tags over."""
        answer: str = super().create_budget()
        budget = self._budget(self._get_param("Budget")["BudgetName"])
        budget.tags = _pairs(self._get_param("ResourceTags"))
        return answer

    def describe_subscribers_for_notification(self) -> str:
        """moto has no such action."""
        wanted = self._get_param("Notification")
        budget = self._budget(self._get_param("BudgetName"))
        told = [n.subscribers for n in budget.notifications if _same(n.details, wanted)]
        return json.dumps({"Subscribers": told[0] if told else []})

    def list_tags_for_resource(self) -> str:
        """moto has no such action."""
        tags = self.backend.tags_of(self._get_param("ResourceARN"))
        return json.dumps({"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]})

    def tag_resource(self) -> str:
        """moto has no such action."""
        self.backend.tags_of(self._get_param("ResourceARN")).update(_pairs(self._get_param("ResourceTags")))
        return json.dumps({})

    def untag_resource(self) -> str:
        """moto has no such action."""
        tags = self.backend.tags_of(self._get_param("ResourceARN"))
        for key in self._get_param("ResourceTagKeys"):
            tags.pop(key, None)
        return json.dumps({})

    def _budget(self, name: str) -> Any:
        return self.backend.found(self._get_param("AccountId"), name)


def _pairs(tags: list[dict[str, str]] | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags or []}


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    keys = ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
    return all(one.get(key) == other.get(key) for key in keys)
