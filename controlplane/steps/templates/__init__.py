"""Templates that workspaces are made from."""
