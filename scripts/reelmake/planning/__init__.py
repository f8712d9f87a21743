"""What a run would do and cost, and how things stand: nothing is asked, uploaded or changed."""
