"""What a model makes of a draft: its segments in another order, joined, stressed and with quotes beside them."""
