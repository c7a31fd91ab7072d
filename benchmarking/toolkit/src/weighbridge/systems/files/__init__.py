"""Systems that load a model file of another kind than ONNX."""
