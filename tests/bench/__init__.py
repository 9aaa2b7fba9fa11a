"""The measured promises: `make bench` loads a synthetic history and times the real processes."""
