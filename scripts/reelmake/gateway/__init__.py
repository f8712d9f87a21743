"""The warm process of a run: it holds the account, and does in milliseconds what jobs ask for."""
