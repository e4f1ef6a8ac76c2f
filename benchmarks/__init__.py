"""This project beside its peers, measured."""
