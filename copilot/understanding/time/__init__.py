"""What a question says about time: the words of a language for it, and the days they mean."""
