"""The triage board's pages: pure rendering, from rows of the read model to HTML."""
