"""What the paper that this work builds on says of India in 2023: Yadav, The Role of Districts as Export Hubs."""

from __future__ import annotations

PAPER_AREA = "India"
"""name of the pack that its figures are of; elsewhere nothing is said of them"""
PAPER_SHARES = (
    ("Gujarat", "Surat", 8.5),
    ("Maharashtra", "Mumbai", 7.8),
    ("Uttar Pradesh", "Moradabad", 5.2),
    ("Tamil Nadu", "Tiruppur", 4.9),
    ("Gujarat", "Rajkot", 4.5),
)
"""state, district and its share of the exports, per cent"""
PAPER_DISTRICTS_FOR_HALF = 18
PAPER_DISTRICTS_FOR_THREE_QUARTERS = 50
PAPER_FAR_FROM_PORT = 0.49
PAPER_HUB_COST_CUT = 0.11
