"""Reviews: how a fleet lies in a Git repository, what a branch may ask for, and what is answered."""
