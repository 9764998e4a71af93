"""The clock: tells every partition that time passes."""
