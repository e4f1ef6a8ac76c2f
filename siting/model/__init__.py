"""What moving a tonne costs, and what can be built."""
