"""A run from its first job to its last: followed, shown, recorded, told of."""
