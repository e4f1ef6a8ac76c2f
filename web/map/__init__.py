"""What the map shows of a plan."""
