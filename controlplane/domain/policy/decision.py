"""From a plan's findings to a decision: refused, to be approved by a person, or free to go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from controlplane.domain.cost.gate import Finding, Level
from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.policy.registry import RULES
from controlplane.domain.policy.values import Decision, Limits, Override, PolicyInput, Rule
from controlplane.domain.tenant import Stage

# Rules whose findings are made by the cost gate.
COST_RULES = ("cost.unknown", "cost.step", "cost.percent", "cost.ceiling", "cost.budget", "cost.tier")
# Inside its ceiling a PoC may take any step; these say that it leaves it, or that nobody knows.
_BEYOND_POC = frozenset({"cost.unknown", "cost.ceiling", "cost.budget", "cost.tier"})
_STEPS = frozenset({"cost.step", "cost.percent"})
_ORDER = (Level.ADVISE, Level.APPROVE, Level.FORBID)


@dataclass(frozen=True)
class Policy:
    """The rules' levels and limits, as the server is configured. Never read from a workspace's repository."""

    levels: Mapping[str, Level] = field(default_factory=dict)
    limits: Limits = Limits()

    def level(self, rule: str, default: Level) -> Level:
        return self.levels.get(rule, default)


DEFAULT = Policy()


def configure(configuration: Mapping[str, Any]) -> Policy:
    """`{"levels": {"database.multi_az": "approve"}, "limits": {"retention_days": 14}}`; whatever is
    misspelt is refused, or a rule would silently stay as it was."""
    wrong = [
        FieldError(str(key), "is not part of a policy")
        for key in configuration
        if key not in ("levels", "limits")
    ]
    levels, limits = configuration.get("levels", {}), configuration.get("limits", {})
    for error in (*_level_errors(levels), *_limit_errors(limits)):
        wrong.append(error)
    if wrong:
        said = "; ".join(f"{e.field}: {e.message}" for e in wrong)
        raise Invalid(f"the policy cannot be read: {said}", errors=wrong)
    return Policy(
        {rule: Level(level) for rule, level in levels.items()},
        Limits(**{name: type(getattr(Limits(), name))(int(value)) for name, value in limits.items()}),
    )


def _level_errors(levels: Mapping[str, Any]) -> list[FieldError]:
    known = {rule.name: rule for rule in RULES}
    errors = []
    for name, level in levels.items():
        if name not in known and name not in COST_RULES:
            errors.append(FieldError(name, f"is no rule; rules are {', '.join([*known, *COST_RULES])}"))
        elif level not in tuple(Level):
            errors.append(FieldError(name, f"{level!r} is none of advise, approve, forbid"))
        elif name in known and known[name].fixed and Level(level) != known[name].level:
            errors.append(FieldError(name, "cannot be set to another level"))
    return errors


def _limit_errors(limits: Mapping[str, Any]) -> list[FieldError]:
    errors = []
    for name, value in limits.items():
        if name not in Limits.__dataclass_fields__:
            errors.append(
                FieldError(name, f"is no limit; limits are {', '.join(Limits.__dataclass_fields__)}")
            )
        elif not _is_number(value):
            errors.append(FieldError(name, f"{value!r} is no whole number from 1 to 100"))
    return errors


def _is_number(value: Any) -> bool:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return False
    return number == number.to_integral_value() and 1 <= number <= 100


def decide(policy: Policy, asked: PolicyInput, overrides: Sequence[Override], now: datetime) -> Decision:
    """An empty plan needs nothing. Otherwise every rule is asked; the strongest finding decides."""
    if asked.summary.is_empty:
        return Decision(False, False, (), ())
    asked = replace(asked, limits=policy.limits)
    fixed = {rule.name for rule in RULES if rule.fixed}
    findings = tuple(
        finding if finding.rule in fixed else _overridden(finding, asked, overrides, now)
        for finding in (*_findings(policy, asked), *_noted(policy, asked))
    )
    forbidden = tuple(f.message for f in findings if f.level is Level.FORBID)
    wanted = tuple(f.message for f in findings if f.level is Level.APPROVE)
    return Decision(bool(wanted), bool(forbidden), forbidden or wanted, findings)


def _findings(policy: Policy, asked: PolicyInput) -> list[Finding]:
    return [
        finding for rule in RULES for finding in _of_rule(rule, policy.level(rule.name, rule.level), asked)
    ]


def _of_rule(rule: Rule, level: Level, asked: PolicyInput) -> list[Finding]:
    found = []
    for breach in rule.check(asked):
        evidence = {"address": breach.address, "way": breach.way, "why": rule.why}
        found.append(
            Finding(
                rule.name,
                min(level, breach.at_most, key=_ORDER.index),
                f"{breach.address}: {breach.message}" if breach.address else breach.message,
                {name: text for name, text in evidence.items() if text},
            )
        )
    return found


def _noted(policy: Policy, asked: PolicyInput) -> list[Finding]:
    """The cost gate's findings at their configured levels."""
    beyond = any(f.rule in _BEYOND_POC for f in asked.noted)
    found = []
    for finding in asked.noted:
        level = policy.level(finding.rule, finding.level)
        if asked.facts.stage is Stage.POC and finding.rule in _STEPS and not beyond:
            level = Level.ADVISE
        found.append(replace(finding, level=level))
    return found


def _overridden(
    finding: Finding, asked: PolicyInput, overrides: Sequence[Override], now: datetime
) -> Finding:
    for override in overrides:
        if finding.level is not Level.ADVISE and _covers(override, finding, asked, now):
            named = {
                "overridden_by": override.person,
                "override_reason": override.reason,
                "override_expires": override.expires_at.isoformat(),
            }
            softer = _ORDER[_ORDER.index(finding.level) - 1]
            return replace(finding, level=softer, evidence={**finding.evidence, **named})
    return finding


def _covers(override: Override, finding: Finding, asked: PolicyInput, now: datetime) -> bool:
    """Without person or reason it is no override; after its expiry it is one no longer."""
    named = bool(override.person.strip() and override.reason.strip())
    tenant = override.tenant_uid in (None, asked.facts.tenant_uid)
    return named and tenant and override.rule == finding.rule and override.expires_at > now
