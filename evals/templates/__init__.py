"""What a template is tried by before somebody approves it."""
