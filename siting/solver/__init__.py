"""Choosing options and lanes at least cost, proven: pure mathematics."""
