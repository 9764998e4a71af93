"""Every message that charts and analysts need, as points in the store."""
