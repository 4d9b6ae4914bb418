"""Who is asking: people, their grants, and the access tokens of the embedded default."""
