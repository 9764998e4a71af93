"""Paging: the messenger that carries a page request to its service's receiver and brings back a receipt."""
