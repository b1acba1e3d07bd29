"""Templates as doors see them: who is behind, what differs, and how they are moved."""
