"""Cost: values and rules. Prices come in as a `PriceBook`, every other fact as a `CostModel`."""
