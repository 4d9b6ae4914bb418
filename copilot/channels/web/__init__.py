"""The web channel: the API, the chat and the sign-in, in one FastAPI application."""
