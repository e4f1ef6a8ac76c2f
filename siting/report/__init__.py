"""A result told on one page."""
