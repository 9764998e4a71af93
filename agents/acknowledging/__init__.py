"""Acknowledgements that come from elsewhere than the board: by the link in a page, and by PagerDuty."""
