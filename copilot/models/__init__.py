"""Models that others run: what they are told was masked before, and is looked at once more on its way out."""
