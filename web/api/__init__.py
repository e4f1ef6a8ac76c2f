"""The HTTP interface: plans and runs."""
