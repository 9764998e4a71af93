"""The report of an operating council, from a store to a page and a file to print."""
