"""scope-leaks: whoever asks whatever in whichever way, nothing hidden comes out, and what is permitted does."""
