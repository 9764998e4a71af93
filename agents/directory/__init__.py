"""The patient directory: the one place where a pseudonym has a name. The board opens it, and operators' commands."""
