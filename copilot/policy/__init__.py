"""Which roles may read which record classes, and how old a record may be."""
