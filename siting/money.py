"""Rupees as people in India write them."""

from __future__ import annotations

INR_PER_CRORE = 1e7


def indian(number: float, decimals: int = 0) -> str:
    """Format with Indian digit grouping.

    >>> indian(12345678)
    '1,23,45,678'
    """
    text = f"{abs(number):.{decimals}f}"
    whole, _, fraction = text.partition(".")
    head, tail = whole[:-3], whole[-3:]
    groups = []
    while head:
        groups.append(head[-2:])
        head = head[:-2]
    grouped = ",".join([*reversed(groups), tail])
    negative = number < 0 and float(text) != 0
    return ("-" if negative else "") + grouped + (f".{fraction}" if fraction else "")


def crore(inr: float, decimals: int = 0) -> str:
    """Rupees as crore with Indian grouping."""
    return f"₹{indian(inr / INR_PER_CRORE, decimals)} crore"
