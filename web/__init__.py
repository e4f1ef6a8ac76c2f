"""The map view: shows results and starts runs."""
