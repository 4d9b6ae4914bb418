"""plans: whatever is asked of the semantic model, SQL says what a slow reading of every row says."""
