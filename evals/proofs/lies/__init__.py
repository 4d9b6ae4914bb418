"""lies: whatever a model says, no wrong figure and no claim that is not so is shown."""
