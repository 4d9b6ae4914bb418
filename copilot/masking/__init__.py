"""What is personal, known from the records, masked wherever text leaves, and shown again to whoever may see it."""
