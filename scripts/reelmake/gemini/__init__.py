"""The engine that asks Gemini. Only `service` touches the SDK."""
