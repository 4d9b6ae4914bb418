"""The question cases: what they are, what plain SQL expects of them, what was answered, and what that is worth."""
