"""AWS calls as the sandbox sees them, and what IAM calls them."""

from controlplane.sandbox.calls.call import Call, Record, read_call

__all__ = ["Call", "Record", "read_call"]
