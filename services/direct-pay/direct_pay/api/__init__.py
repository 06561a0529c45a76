"""What the endpoints of several capabilities share."""
