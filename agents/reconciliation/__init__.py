"""Whether everything that was received is assessed and stored, or is named: what the logs say beside the store."""
