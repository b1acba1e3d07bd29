"""The console: pages for people, made on the server, that need no JavaScript."""
