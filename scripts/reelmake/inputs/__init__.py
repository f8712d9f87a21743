"""``videos:``, from what a user wrote to one checked record a report: see ``table``."""
