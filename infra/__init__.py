"""How Sonevakt is deployed, and the servers that it needs where there is no Docker."""
