"""A user's own data made into a pack."""
