"""approvals: ways to run a template without the approver's key, each of which must fail."""
