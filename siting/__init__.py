"""What moving cargo costs and where to build."""
