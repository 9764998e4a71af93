"""What InfluxDB holds beside points: buckets, tasks and tokens, as the settings want them."""
