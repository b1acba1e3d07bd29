"""What brings data back: restores of what is gone, of a point in time, beside a living tenant."""
