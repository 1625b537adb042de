"""Ways for an alert to reach a person."""
