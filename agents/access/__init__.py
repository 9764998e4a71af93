"""The access log: who saw or changed which patient, when, and who was refused."""
