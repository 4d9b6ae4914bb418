"""How much personal data is found in texts that nobody here wrote, beside plain Presidio."""
