"""RDS: instances, their snapshots, and what can be restored of them."""
