"""What people look at: the triage board, charts, reports, alert rules."""
