"""From evidence to an answer: claims are rendered by code, verified by an independent reader, then decided on."""
