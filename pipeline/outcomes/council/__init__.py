"""All that an operating council is told of a period, as tables that have passed disclosure control."""
