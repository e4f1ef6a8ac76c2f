"""Many plans of one study: budgets, ranges of parameters."""
