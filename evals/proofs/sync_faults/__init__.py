"""sync-faults: whatever goes wrong in a sync, the copy equals a full reload afterwards."""
