"""The demo company: a distributor that never was, whose every day is drawn from a seed."""
