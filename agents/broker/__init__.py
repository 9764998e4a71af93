"""The broker from outside the stream: topics, lag, and a broker that we start ourselves."""
