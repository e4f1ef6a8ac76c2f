"""Districts as export hubs: how exports are spread, who is well connected, who could export more, and what has changed.

The methods and their equations, (60) to (79), are in ``docs/districts.md``.
"""
