"""All tables of the council."""
