"""The offline engine: speech, scene changes and screen text are recognised; nothing is invented.

``engine.recognise`` is the costly half, whose record is kept; ``engine.analyse`` is the quick one.
"""

import os

# Else ONNX Runtime marks this machine in the user's cache, and tells Microsoft of what it does.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
