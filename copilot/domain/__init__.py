"""The nouns of the copilot: frozen values that every layer above may use and that use nothing but each other."""
