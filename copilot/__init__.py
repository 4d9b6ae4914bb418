"""The ERP copilot for distributors: answers whose every figure is a record the asker may read."""
