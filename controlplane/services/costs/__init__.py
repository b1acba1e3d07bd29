"""What the fleet costs: estimates, forecasts, bills, budgets and advice. Nothing here buys anything."""
