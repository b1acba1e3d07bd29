"""AWS as the sandbox plays it: moto, and what moto lacks."""
