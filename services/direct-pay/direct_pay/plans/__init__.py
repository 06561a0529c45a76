"""Plans over an area: which statements are to be requested, agreed to by two people, and published by hospital."""
