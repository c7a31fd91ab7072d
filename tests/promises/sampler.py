"""Runs models one after the other behind the fence and says which one it is about to open; it may die over
any of them.
"""

import json
import os
import sys
from pathlib import Path

from weighbridge.measure.inputs.queries import prepare_queries
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner
from weighbridge.systems.sandbox.child import enter_sandbox

if __name__ == "__main__":
    job = enter_sandbox(Path(sys.argv[-1]), stream=sys.stdout)
    ends = []
    for number, path in enumerate(job["models"]):
        print(json.dumps({"share": number / len(job["models"]), "doing": str(number)}), flush=True)
        try:
            runner = OnnxRuntimeRunner(Path(path), threads=1)
            runner.infer(prepare_queries(runner.inputs, None, seed=1).feeds[0])
            ends.append("answered")
        except Exception as error:  # noqa: BLE001 -- ONNX Runtime's exception classes share no base
            ends.append(type(error).__name__)
    os.write(job["outcome"], json.dumps(ends).encode())
