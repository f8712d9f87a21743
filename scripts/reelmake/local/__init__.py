"""The offline engine: speech, scene changes and screen text are recognised; nothing is invented.

``engine.recognise`` is the costly half, whose record is kept; ``engine.analyse`` is the quick one.
"""
