"""Money in the catalog: budgets, the fleet's cost day by day, and what was billed."""
