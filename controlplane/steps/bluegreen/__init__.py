"""RDS's own way to move: a green side that follows, a switchover that gives it name and address, an old one.

The slot keeps its name and its epoch: applications, alarms and secrets mean the name. So whoever has the name
is the truth at any moment, and lifting the fence is safe whatever RDS is at. What a switchover leaves, which
RDS calls `…-old1`, gets an epoch of its own and stands beside what Terraform knows.
"""
