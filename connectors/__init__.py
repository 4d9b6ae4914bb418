"""Sources: each connector reads one kind of system and yields raw records in our words."""
