"""One-off builder of the bundled pack of India."""
