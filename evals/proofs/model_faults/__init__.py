"""model-faults: whatever a model does, the rules answer as if there were none, in time, and say so."""
