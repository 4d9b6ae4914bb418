"""The compositional planner: a question put together from what its words mean, or the words that mean nothing to it."""
