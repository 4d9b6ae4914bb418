"""variations: the cases of a suite typed otherwise, by slips, other words and another order."""
