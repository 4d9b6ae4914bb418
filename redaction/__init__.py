"""Masks personal data before a text is kept or sent anywhere."""
