"""policy-replay: decisions on record, decided again under a policy that is only proposed."""
