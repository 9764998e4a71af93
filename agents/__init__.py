"""Everything that touches the world: Faust apps, gateway, stores, embedded broker, command line."""
