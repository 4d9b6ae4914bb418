"""disagreements: systems with planted conflicts about stock, and who says what of them."""
