"""From what a person typed to a plan, by rules: no model is needed."""
