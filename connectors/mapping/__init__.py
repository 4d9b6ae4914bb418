"""A mapping: one YAML file that says how a source's tables and columns become records of the semantic model."""
