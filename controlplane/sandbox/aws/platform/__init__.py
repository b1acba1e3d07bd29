"""What moto lacks of the services around databases, which platforms are made of: one file a service."""
