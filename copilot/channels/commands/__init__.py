"""The commands of `erp-copilot`, one file each, registered as entry points."""
