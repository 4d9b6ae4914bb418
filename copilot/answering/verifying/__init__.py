"""The rooms of the independent reader. `copilot.answering.verify` puts them together."""
