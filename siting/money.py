"""Rupees and counts as people in India write them."""

from __future__ import annotations

INR_PER_LAKH, INR_PER_CRORE = 1e5, 1e7
MINUS = "−"


def indian(number: float, decimals: int = 0) -> str:
    """Format with Indian digit grouping: 1,23,45,678.

    >>> indian(12345678), indian(-0.2), indian(-1500.5, 1)
    ('1,23,45,678', '0', '−1,500.5')
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
    return (MINUS if negative else "") + grouped + (f".{fraction}" if fraction else "")


def crore(inr: float, decimals: int = 0) -> str:
    """Rupees as crore with Indian grouping.

    >>> crore(-1.3e8)
    '−₹13 crore'
    """
    text = indian(inr / INR_PER_CRORE, decimals)
    sign = MINUS if text.startswith(MINUS) else ""
    return f"{sign}₹{text.removeprefix(MINUS)} crore"


def counted(n: int, noun: str) -> str:
    """A number with its noun, which takes an s unless there is one.

    >>> counted(1, "site"), counted(1200, "site")
    ('1 site', '1,200 sites')
    """
    return f"{indian(n)} {noun}" if n == 1 else f"{indian(n)} {noun}s"
