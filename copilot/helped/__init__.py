"""Where a model helps: it puts a question in our terms, and an answer's claims in order; the rules go on without it."""
