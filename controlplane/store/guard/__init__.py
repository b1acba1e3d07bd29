"""What stands before a change: who may ask, what was asked before, when it may happen, what was waived."""
