"""Reviews: what doors ask of them, and what the worker does for them."""
