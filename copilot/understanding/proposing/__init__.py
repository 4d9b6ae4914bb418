"""What a model makes of a question that the rules don't understand whole: typed pieces, which the rules then plan."""
